// The reader of the output may go away (`npm start | head -1`). Later output is lost, but ends no process.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
