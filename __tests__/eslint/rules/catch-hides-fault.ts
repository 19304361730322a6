import { testRule } from '../../fixtures/rule-tester';

testRule(
  'catch-hides-fault',
  [
    `const fs = require('../libs/fs-extra');
const express = require('express');
const app = express();
app.post('/x', async (req, res) => {
  try {
    await fs.ensureDir(folder);
    res.end();
  } catch (error) {
    res.status(400).send('Invalid folder');
  }
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    res.json(await pool.query(sql));
  } catch (error) {
    res.status(500).end();
  }
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res, next) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    next(error);
  }
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    throw error;
  }
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    if (classifyError(error, req)) throw error;
    res.sendStatus(500);
  }
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    res.sendStatus(502);
  }
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    res.status(504).end();
  }
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    res.json(JSON.parse(req.body));
  } catch (error) {
    res.status(400).end();
  }
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    res.json(await User.find());
  } catch (error) {
    res.status(500).end();
  }
});`,
    `const users = require('./models/user');
const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    res.json(await users.find());
  } catch (error) {
    res.status(500).end();
  }
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    console.error(error);
  }
});`,
    `async function load() {
  try {
    return await fetch(url);
  } catch (error) {
    return null;
  }
}`,
    `const express = require('express');
const app = express();
app.get('/x', (req, res, next) => {
  fetch(url).then((r) => res.send(r.status)).catch(next);
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res, next) => {
  fetch(url).catch((error) => {
    next(error);
  });
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    if (error.name === 'AbortError') return res.sendStatus(504);
    throw error;
  }
});`,
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    res.json(require('./data'));
  } catch (error) {
    res.status(500).end();
  }
});`,
    `http.createServer(async (req, res) => {
  try {
    await fetch(url);
  } catch (error) {
    res.end();
  }
});`,
  ],
  [
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    res.status(500).json({ message: error.message });
  }
});`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    if (classifyError(error, req)) throw error;
    res.status(500).json({ message: error.message });
  }
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    console.error(error);
    res.sendStatus(500);
  }
});`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    if (classifyError(error, req)) throw error;
    console.error(error);
    res.sendStatus(500);
  }
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res, next) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    res.status(500).end();
  }
});`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', async (req, res, next) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    if (classifyError(error, req)) return next(error);
    res.status(500).end();
  }
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    res.status(500).end();
  }
});`,
      express: 4,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', async (req, res, next) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    if (classifyError(error, req)) return next(error);
    res.status(500).end();
  }
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    res.json({ error: true });
  }
});`,
      ids: ['hidesAs'],
      suggested: [
        {
          consider: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    if (classifyError(error, req)) throw error;
    res.json({ error: true });
  }
});`,
        },
      ],
    },
    {
      code: `class BackupManager {
  async upload(req, res) {
    try {
      await fetch('http://api/x');
    } catch (error) {
      res.status(500).end();
    }
  }
}
module.exports = new BackupManager();`,
      express: 4,
      filename: 'backup-manager.js',
      ids: ['hides'],
    },
    {
      code: `class BackupController {
  async upload(req, res) {
    try {
      await fetch('http://api/x');
    } catch (error) {
      res.status(500).end();
    }
  }
}
module.exports = new BackupController();`,
      express: 4,
      filename: 'backup-controller.js',
      ids: ['hides'],
      suggested: [
        {
          pass: `const { classifyError } = require('express-hangup');
class BackupController {
  async upload(req, res, next) {
    try {
      await fetch('http://api/x');
    } catch (error) {
      if (classifyError(error, req)) return next(error);
      res.status(500).end();
    }
  }
}
module.exports = new BackupController();`,
        },
      ],
    },
    {
      code: `import type { Request, Response } from 'express';
export const list = async (req: Request, res: Response): Promise<Response> => {
  try {
    return res.json(await (await fetch('http://api/x')).json());
  } catch (error) {
    return res.status(500).end();
  }
};`,
      filename: 'list.ts',
      ids: ['hides'],
      suggested: [
        {
          pass: `import type { Request, Response } from 'express';
import { classifyError } from 'express-hangup';
export const list = async (req: Request, res: Response): Promise<Response> => {
  try {
    return res.json(await (await fetch('http://api/x')).json());
  } catch (error) {
    if (classifyError(error, req)) throw error;
    return res.status(500).end();
  }
};`,
        },
      ],
    },
    {
      code: `import type { Request, Response } from 'express';
export const list = async (req: Request, res: Response): Promise<Response> => {
  try {
    return res.json(await (await fetch('http://api/x')).json());
  } catch (error) {
    return res.status(500).end();
  }
};`,
      express: 4,
      filename: 'controller.ts',
      ids: ['hides'],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', (req, res) => {
  queue.add(async () => {
    try {
      await fetch('http://api/x');
    } catch (error) {
      res.status(500).end();
    }
  });
});`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', (req, res, next) => {
  queue.add(async () => {
    try {
      await fetch('http://api/x');
    } catch (error) {
      if (classifyError(error, req)) return next(error);
      res.status(500).end();
    }
  });
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    res.status(400).send('failed');
  }
});`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    if (classifyError(error, req)) throw error;
    res.status(400).send('failed');
  }
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    if (error.name === 'AbortError') return res.status(504).end();
    res.status(500).end();
  }
});`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    if (classifyError(error, req)) throw error;
    if (error.name === 'AbortError') return res.status(504).end();
    res.status(500).end();
  }
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch {
    res.sendStatus(500);
  }
});`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    if (classifyError(error, req)) throw error;
    res.sendStatus(500);
  }
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch ({ message }) {
    res.status(500).send(message);
  }
});`,
      ids: ['hides'],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', (req, res) => {
  fetch(url)
    .then((r) => res.send(r.status))
    .catch((error) => {
      res.status(500).end();
    });
});`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', (req, res, next) => {
  fetch(url)
    .then((r) => res.send(r.status))
    .catch((error) => {
      if (classifyError(error, req)) return next(error);
      res.status(500).end();
    });
});`,
        },
      ],
    },
    {
      code: `const orders = require('./services/orders');
exports.list = async (req, res) => {
  try {
    res.json(await orders.list());
  } catch (error) {
    res.status(500).json({ success: false });
  }
};`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const orders = require('./services/orders');
const { classifyError } = require('express-hangup');
exports.list = async (req, res) => {
  try {
    res.json(await orders.list());
  } catch (error) {
    if (classifyError(error, req)) throw error;
    res.status(500).json({ success: false });
  }
};`,
        },
      ],
    },
    {
      code: `import { list } from '../services/orders.js';
export const show = async (req, res, next) => {
  try {
    res.json(await list());
  } catch (err) {
    res.status(err.status || 500).json({});
  }
};`,
      ids: ['hides'],
      suggested: [
        {
          pass: `import { list } from '../services/orders.js';
import { classifyError } from 'express-hangup';
export const show = async (req, res, next) => {
  try {
    res.json(await list());
  } catch (err) {
    if (classifyError(err, req)) return next(err);
    res.status(err.status || 500).json({});
  }
};`,
        },
      ],
    },
    {
      code: `const axios = require('axios')
exports.list = async (req, res) => {
  try {
    const { data } = await axios.get('http://api/x')
    res.json(data)
  } catch (e) {
    res.status(500).send(e)
  }
}`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const axios = require('axios')
const { classifyError } = require('express-hangup')
exports.list = async (req, res) => {
  try {
    const { data } = await axios.get('http://api/x')
    res.json(data)
  } catch (e) {
    if (classifyError(e, req)) throw e
    res.status(500).send(e)
  }
}`,
        },
      ],
    },
    {
      code: `import type { Request, Response, NextFunction } from 'express';
export const list = async (req: Request, res: Response, next: NextFunction) => {
  try {
    const r = await fetch('http://api/x');
    res.json(await r.json());
  } catch (error: unknown) {
    res.status(500).json({ message: 'no' });
  }
};`,
      filename: 'list.ts',
      ids: ['hides'],
      suggested: [
        {
          pass: `import type { Request, Response, NextFunction } from 'express';
import { classifyError } from 'express-hangup';
export const list = async (req: Request, res: Response, next: NextFunction) => {
  try {
    const r = await fetch('http://api/x');
    res.json(await r.json());
  } catch (error: unknown) {
    if (classifyError(error, req)) return next(error);
    res.status(500).json({ message: 'no' });
  }
};`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    return res.render('error', { error });
  }
});`,
      ids: ['hidesAs'],
      suggested: [
        {
          consider: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    if (classifyError(error, req)) throw error;
    return res.render('error', { error });
  }
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    await report(error);
    res.status(503).end();
  }
});`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', async (req, res) => {
  try {
    const r = await fetch(url);
    res.json(await r.json());
  } catch (error) {
    await report(error);
    if (classifyError(error, req)) throw error;
    res.status(503).end();
  }
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => { try { res.json(await (await fetch(url)).json()); } catch (e) { res.sendStatus(500); } });`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.get('/x', async (req, res) => { try { res.json(await (await fetch(url)).json()); } catch (e) { if (classifyError(e, req)) throw e; res.sendStatus(500); } });`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.post('/x', async (req, res, next) => {
  try {
    await fetch(url);
    res.json({});
  } catch (e) {
    await tx.rollback();
    res.status(500).json({ error: text(e) });
  }
});`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.post('/x', async (req, res, next) => {
  try {
    await fetch(url);
    res.json({});
  } catch (e) {
    await tx.rollback();
    if (classifyError(e, req)) return next(e);
    res.status(500).json({ error: text(e) });
  }
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.post('/x', async (req, res, next) => {
  try {
    await fetch(url);
    res.json({});
  } catch (e) {
    res.status(500).json({ error: 'x' });
    await tx.rollback();
  }
});`,
      ids: ['hides'],
    },
    {
      code: `const express = require('express');
const app = express();
app.post('/x', async (req, res, next) => {
  try {
    await fetch(url);
    res.json({});
  } catch (e) {
    if (e.known) {
      await tx.rollback();
      return res.sendStatus(500);
    }
    res.status(500).json({ error: 'x' });
  }
});`,
      ids: ['hides'],
    },
    {
      code: `const express = require('express');
const app = express();
const error = { message: 'no' };
app.post('/x', async (req, res, next) => {
  try {
    await fetch(url);
    res.json({});
  } catch {
    res.status(500).json(error);
  }
});`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
const error = { message: 'no' };
app.post('/x', async (req, res, next) => {
  try {
    await fetch(url);
    res.json({});
  } catch (err) {
    if (classifyError(err, req)) return next(err);
    res.status(500).json(error);
  }
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.post('/x', (req, res, next) => {
  fetch(url).then(() => res.json({})).catch(async (e) => {
    failed.count += 1;
    res.sendStatus(500);
  });
});`,
      ids: ['hides'],
      suggested: [
        {
          pass: `const express = require('express');
const { classifyError } = require('express-hangup');
const app = express();
app.post('/x', (req, res, next) => {
  fetch(url).then(() => res.json({})).catch(async (e) => {
    failed.count += 1;
    if (classifyError(e, req)) return next(e);
    res.sendStatus(500);
  });
});`,
        },
      ],
    },
  ],
);
