const express = require('express');
const ordersRouter = require('./routes/orders.route');
const { errorConverter, errorHandler } = require('./middlewares/error');

const app = express();

app.use(express.json());
app.use('/orders', ordersRouter);

app.use((req, res, next) => {
  next(Object.assign(new Error('Not found'), { statusCode: 404 }));
});
app.use(errorConverter);
app.use(errorHandler);

module.exports = app;
