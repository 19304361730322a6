import express from 'express'
import got from 'got'

const client = got.extend({ prefixUrl: process.env.API_URL, retry: { limit: 0 } })
const app = express()

app.get('/orders', (request, response, next) => {
  client.get('orders').json()
    .then((orders) => response.json(orders))
    .catch(next)
})

app.post('/orders', express.json(), async (request, response) => {
  const order = await client.post('orders', { json: request.body }).json()
  response.status(201).json(order)
})

export default app
