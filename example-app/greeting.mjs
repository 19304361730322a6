/** What npm start prints: where to look and what to try. */
export function greeting(url) {
  const curl = (path, options = '-i') => `  curl ${options} ${url}${path}`;
  return `
An order page that needs a price service, with express-hangup between them.

  the page       ${url}/
  the diagnosis  ${url}/_hangup

Or from another terminal (the same with /snippet/ in place of /ours/ shows the copied snippet):

${curl('/ours/order/ok')}        all is well
${curl('/ours/order/hang')}      it never answers
${curl('/ours/order/reset')}     it breaks the connection
${curl('/ours/order/cut')}       ... in the middle of its body
${curl('/ours/order/refuse')}    nobody listens
${curl('/ours/prices', '-iN')}         server-sent events, the first after the deadline
${curl('/ours/order/busy', '-i --json \'{"quantity":2}\'')}    a POST
${curl('/proxied/order/cut')}    through http-proxy-middleware; plain: /plain-proxy/order/cut

Ctrl-C ends it.
`;
}
