import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Starts a real nginx in front of servers on `ports`; gives its own port, and `stop()`.
 *
 * @param {{ ports: number[], upstream?: string, location?: string }} configuration `upstream` and `location`: more lines in these blocks
 */
export async function startNginx({ ports, upstream = '', location = '' }) {
  const directory = mkdtempSync(join(tmpdir(), 'express-hangup-nginx-'));
  const port = await freePort();
  const file = join(directory, 'nginx.conf');
  writeFileSync(file, configuration({ directory, port, ports, upstream, location }));
  // Debian puts it where only root looks for programs.
  const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };
  const child = spawn('nginx', ['-p', directory, '-e', 'stderr', '-c', file], { env, stdio: 'ignore' });
  while (!(await accepts(port))) {
    if (child.exitCode !== null) throw new Error('nginx ended at once.');
    await pause(20);
  }
  const stop = async () => {
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
    rmSync(directory, { recursive: true, force: true });
  };
  return { port, stop };
}

function configuration({ directory, port, ports, upstream, location }) {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${directory}/${kind};`,
  );
  const servers = ports.map((own) => `server 127.0.0.1:${own} max_fails=0;`);
  return `daemon off; master_process off; pid ${directory}/pid; error_log /dev/null;
events { worker_connections 8192; }
http {
  access_log off; ${temporary.join(' ')}
  upstream app { ${servers.join(' ')} ${upstream} }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; ${location} }
  }
}`;
}

async function accepts(port) {
  const socket = net.connect(port, '127.0.0.1');
  const isOpen = await once(socket, 'connect').then(
    () => true,
    () => false,
  );
  socket.destroy();
  return isOpen;
}

/** A port of 127.0.0.1 that is free now. */
export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
