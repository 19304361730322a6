import { execFileSync } from 'node:child_process';

/** As whom servers run that refuse root: nobody. Everybody else runs them as themselves. */
export function userForServers() {
  if (process.getuid() !== 0) return { uid: process.getuid(), gid: process.getgid() };
  const id = (flag) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}
