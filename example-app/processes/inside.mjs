import './output.mjs';

/** For a process that startProcess() has started: says `message` to the process that started it. */
export function tell(message) {
  // A process that is gone need not be told.
  if (process.connected) process.send(message, () => {});
}

const RETRY_MS = 5;

/**
 * Listens on a port of the loopback interface (0: any that is free) and says where. Waits for a port that is taken: by the
 * process that this one is to replace.
 */
export function listen(server, port = 0) {
  const attempt = () => server.listen(port, '127.0.0.1');
  server.once('listening', () => tell({ listening: `http://127.0.0.1:${server.address().port}` }));
  server.on('error', (error) => {
    if (error.code !== 'EADDRINUSE') throw error;
    tell({ waitsForPort: true });
    setTimeout(attempt, RETRY_MS);
  });
  attempt();
}

// Ends with the process that started it, however that one ended, even if that was while this file was being read.
process.on('disconnect', () => process.exit());
if (!process.connected) process.exit();
// A listener for 'disconnect' holds the process; a drained gateway is to end by itself.
process.channel.unref();
