// Who reads the output may go away (`npm start | head -1`). What is said from then on is lost, and ends no process.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
