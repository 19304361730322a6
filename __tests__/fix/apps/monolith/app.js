'use strict'

const express = require('express')
const axios = require('axios')

const API = process.env.API_URL

const app = express()
app.disable('x-powered-by')
app.use(express.json())
app.use(express.urlencoded({ extended: false }))

app.get('/health', function (req, res) {
  res.send('ok')
})

// One product with its stock
app.get('/orders', async function (req, res) {
  try {
    var response = await axios.get(API + '/orders', {
      params: req.query,
      headers: { accept: 'application/json' }
    })
    res.json({ orders: response.data })
  } catch (err) {
    console.error(err.message)
    res.status(500).json({ error: 'Something went wrong' })
  }
})

app.post('/orders', async function (req, res) {
  try {
    var created = await axios.post(API + '/orders', req.body)
    res.status(201).json(created.data)
  } catch (err) {
    res.status(500).json({ error: 'Something went wrong' })
  }
})

app.use(function (req, res) {
  res.status(404).json({ error: 'Not found' })
})

app.use(function (err, req, res, next) {
  console.error(err.stack)
  res.status(500).json({ error: 'Internal error' })
})

module.exports = app
