var express = require('express');
var timeout = require('connect-timeout');
var axios = require('axios');

var app = express();

app.use(timeout('800ms'));
app.use(express.json());
app.use(haltOnTimedout);

app.get('/orders', function (req, res, next) {
  axios
    .get(process.env.API_URL + '/orders')
    .then(function (response) {
      if (req.timedout) return;
      res.json(response.data);
    })
    .catch(next);
});

app.post('/orders', haltOnTimedout, function (req, res, next) {
  axios({ method: 'post', url: process.env.API_URL + '/orders', data: req.body })
    .then(function (response) {
      res.status(201).json(response.data);
    })
    .catch(next);
});

function haltOnTimedout(req, res, next) {
  if (!req.timedout) next();
}

module.exports = app;
