// Loaded into every child of `npm start`: when the supervisor is gone, even by kill -9, the child ends, so that its port is free
// for the next start. The channel to the parent is the sign: the system closes it with the process.
const TIDY_MS_MAX = 2_000;

if (process.connected) {
  process.on('disconnect', () => {
    setTimeout(() => process.exit(1), TIDY_MS_MAX).unref();
    process.kill(process.pid, 'SIGTERM');
  });
}
