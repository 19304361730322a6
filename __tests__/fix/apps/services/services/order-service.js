const axios = require('axios');

class OrderService {
  constructor(baseUrl) {
    this.baseUrl = baseUrl;
  }

  async findAll(page = 1) {
    const { data } = await axios.get(`${this.baseUrl}/orders`, { params: { page } });
    return data;
  }

  async create(order) {
    const { data } = await axios.post(`${this.baseUrl}/orders`, order);
    return data;
  }
}

module.exports = new OrderService(process.env.API_URL);
