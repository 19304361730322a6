const fetch = require('node-fetch');
const catchAsync = require('../middlewares/catch-async');

const listOrders = catchAsync(async (req, res) => {
  const answer = await fetch(`${process.env.API_URL}/orders`, { headers: { accept: 'application/json' } });
  res.send(await answer.json());
});

const createOrder = catchAsync(async (req, res) => {
  const answer = await fetch(`${process.env.API_URL}/orders`, {
    method: 'POST',
    body: JSON.stringify(req.body),
    headers: { 'content-type': 'application/json' },
  });
  res.status(201).send(await answer.json());
});

module.exports = {
  listOrders,
  createOrder,
};
