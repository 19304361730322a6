/** Where the price service is. */
export const PRICES = process.env.PRICES;
/** A port where nobody listens: the price service that refuses. */
export const NOBODY = process.env.NOBODY;

/** Which of the two a request means. */
export function priceService(trouble) {
  return trouble === 'refuse' ? NOBODY : PRICES;
}

/** The URL that has the trouble which the request asks for; `trial` lets the page find the call again. */
export function priceUrl(req) {
  const { trouble = 'stream' } = req.params;
  const url = new URL(`/price/${trouble}`, priceService(trouble));
  if (req.query.trial !== undefined) url.searchParams.set('trial', req.query.trial);
  return url;
}

/** The order, once its price is known. */
export function orderAt({ item, price, currency }, quantity = 1) {
  return { item, quantity, total: price * quantity, currency };
}
