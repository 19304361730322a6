const errorConverter = (err, req, res, next) => {
  const error = err.statusCode ? err : Object.assign(new Error(err.message), { statusCode: 500 });
  next(error);
};

const errorHandler = (err, req, res, next) => {
  res.status(err.statusCode).send({ code: err.statusCode, message: err.message });
};

module.exports = { errorConverter, errorHandler };
