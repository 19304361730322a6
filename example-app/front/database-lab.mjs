// What the page asks for about the database.
import { Router } from 'express';

/** `reports`: the process with the slow reports. */
export function createDatabaseLab(reports) {
  const lab = Router();
  lab.get('/', async (req, res) => {
    const { howToGetIt, leftMs } = reports;
    res.json(howToGetIt === undefined ? { reports: await reports.activity(), leftMs } : { howToGetIt });
  });
  lab.post('/five-leave', async (req, res) => {
    if (reports.howToGetIt !== undefined)
      res.status(404).json({ error: `No PostgreSQL: ${reports.howToGetIt}` });
    else if (reports.isBusy) res.status(409).json({ error: 'Five clients are leaving already.' });
    else res.json(await reports.fiveLeave());
  });
  return lab;
}
