/** What `express-hangup conformance --help` prints. At most 80 columns. */
export const USAGE = `Usage: express-hangup conformance --start COMMAND --env NAME [options]
       express-hangup conformance URL --upstream PORT [options]

Breaks the upstream of an app in every way, leaves in every way, and tells which
answers were right, wrong, or could not be seen. The app needs to know nothing.

An app that this command starts:
  --start COMMAND      starts the app, for example "npm start"; it gets a free
                       port in the variable PORT
  --port N             the app listens on this port, whatever PORT says
  --env NAME           the variable in which the app finds the URL of its
                       upstream; also NAME={url}/v1, with {url}, {host}, {port}
  --tcp NAME           the variable that holds the URL of a real database or
                       other TCP server: faults are put in front of it
  --wait MS            how long the app may take to answer (default 30000)
An app that runs already:
  URL                  its route, http://127.0.0.1:3000/orders
  --upstream PORT      listens on 127.0.0.1:PORT as the upstream of the app

What it is asked:
  --route PATH         the route (default /); {n} becomes a new number each time
  --method METHOD      GET, POST, PUT, PATCH or DELETE (default GET and POST)
  --header 'A: b'      a header that the route needs
  --body TEXT          the body of a POST
  --answer FILE        what the upstream answers; also PATH=FILE, for one path
What is right:
  --deadline MS        the deadline that the app has set (default 1000)
  --margin MS          how much later an answer may come
  --expect F=S,S       statuses for a fault in place of 502 and 504, for example
                       reset=502,503 or all=2xx
  --background         the route hands its work to a queue, which goes on
  --fault NAME         only this fault
  --client NAME        only this client
  --protocol http2     talks HTTP/2 to the app
What is told:
  --junit FILE         writes a report for CI
  --json FILE          writes everything as JSON; - is the standard output
  --github             prints annotations for GitHub Actions
  -h, --help

Options with a NAME, METHOD, FILE or F=S may be given several times.
Ends with 0 where nothing is wrong, with 1 where something is, and with 2 where
it could not run or has seen nothing.
`;
