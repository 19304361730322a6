const express = require('express');
const ordersController = require('../controllers/orders.controller');
const auth = require('../middlewares/auth');

const router = express.Router();

router.route('/').get(auth, ordersController.listOrders).post(auth, ordersController.createOrder);

module.exports = router;
