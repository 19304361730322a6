import net from 'node:net';

/** How long HAProxy may take to answer a command, in milliseconds. */
const PATIENCE_MS = 5000;

/** The counters of one server, or of the front, since HAProxy's start. */
export interface Counts {
  requests: number;
  /** Answers with 5xx, failed connections and failed answers, and requests that were tried again elsewhere. */
  errors: number;
}

/** HAProxy's runtime API on its Unix socket (management guide, section 9.3). */
export class HaproxyApi {
  constructor(private readonly socketPath: string) {}

  /** Sends one command and gives the answer. HAProxy reports errors in its answer: an unexpected answer is thrown. */
  async ask(command: string): Promise<string> {
    const answer = await this.exchange(command);
    if (/^(No such|Unknown command|Permission denied|Require|Invalid|malformed)/im.test(answer)) {
      throw new Error(`HAProxy does not take "${command}": ${answer.trim()}`);
    }
    return answer;
  }

  /** The counters of `backend/server`. The server name `BACKEND` gives those of all servers together. */
  async counts(backend: string, server: string): Promise<Counts> {
    const [head = '', ...lines] = (await this.ask('show stat')).replace(/^# /, '').trim().split('\n');
    const names = head.split(',');
    const cells = lines
      .map((line) => line.split(','))
      .find(([own, name]) => own === backend && name === server);
    if (cells === undefined) throw new Error(`HAProxy has no server "${backend}/${server}".`);
    const value = (name: string): number => Number(cells[names.indexOf(name)] ?? 0);
    const sum = (list: readonly string[]): number => list.reduce((total, name) => total + value(name), 0);
    return {
      requests: sum(['hrsp_1xx', 'hrsp_2xx', 'hrsp_3xx', 'hrsp_4xx', 'hrsp_5xx', 'hrsp_other']),
      errors: sum(server === 'BACKEND' ? ['hrsp_5xx'] : ['hrsp_5xx', 'wretr']),
    };
  }

  /** The content of the `server-state-file`, from which HAProxy restores its servers after a reload. */
  async serversState(): Promise<string> {
    return this.ask('show servers state');
  }

  private exchange(command: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const socket = net.connect(this.socketPath, () => socket.write(`${command}\n`));
      let answer = '';
      socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
      socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error(`no answer within ${PATIENCE_MS} ms`)));
      socket.on('end', () => resolve(answer));
      socket.on('error', (error) =>
        reject(
          new Error(`HAProxy cannot be asked at ${this.socketPath}: ${error.message}. Does it run?`, {
            cause: error,
          }),
        ),
      );
    });
  }
}
