const orderService = require('../services/order-service');

exports.list = async (req, res) => {
  try {
    const orders = await orderService.findAll(req.query.page);
    return res.status(200).json({ success: true, data: orders });
  } catch (error) {
    return res.status(500).json({ success: false, message: error.message });
  }
};

exports.create = async (req, res) => {
  try {
    const order = await orderService.create(req.body);
    return res.status(201).json({ success: true, data: order });
  } catch (error) {
    return res.status(500).json({ success: false, message: error.message });
  }
};
