import axios from 'axios';

const api = axios.create({
  baseURL: process.env.API_URL,
  headers: { accept: 'application/json' },
});

api.interceptors.response.use((response) => response.data);

export default api;
