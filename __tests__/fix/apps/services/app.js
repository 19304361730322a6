const express = require('express');
const orders = require('./controllers/orders');

const app = express();

app.use(express.json());
app.get('/orders', orders.list);
app.post('/orders', orders.create);

module.exports = app;
