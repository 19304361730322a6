import { testRule } from '../../fixtures/rule-tester';

testRule(
  'guard-async-handler',
  [
    {
      code: `const express = require('express');
const app = express();
app.use(async (err, req, res, next) => {
  await report(err);
  res.sendStatus(500);
});`,
      express: 4,
    },
    {
      code: `const express = require('express');
const app = express();
async function onError(err, req, res, next) {
  await report(err);
  next(err);
}
app.use(onError);`,
      express: 4,
    },
    {
      code: `import type { Request } from 'express';
export const build = async (req: Request, isInternal: boolean = false): Promise<void> => {
  await load(req);
};`,
      express: 4,
      filename: 'build.ts',
    },
    `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  res.json(await load());
});`,
    {
      code: `const express = require('express');
const app = express();
app.get('/x', (req, res) => {
  res.send('ok');
});`,
      express: 4,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', asyncHandler(async (req, res) => {
  res.json(await load());
}));`,
      express: 4,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res, next) => {
  try {
    res.json(await load());
  } catch (error) {
    next(error);
  }
});`,
      express: 4,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  res.send('ok');
});`,
      express: 4,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const id = req.params.id;
  try {
    res.json(await load(id));
  } catch {
    res.sendStatus(500);
  }
});`,
      express: 4,
    },
    {
      code: `async function load(a, b) {
  await fetch(a);
}`,
      express: 4,
    },
    {
      code: `queue.process(async (job, done) => {
  await job.run();
});`,
      express: 4,
    },
    {
      code: `const express = require('express');
const app = express();
const show = wrap(async (req, res) => {
  res.json(await load());
});
app.get('/x', show);`,
      express: 4,
    },
    {
      code: `module.exports.list = catchAsync(async (req, res) => {
  res.json(await load());
});`,
      express: 4,
    },
    {
      code: `import { onRequest } from 'firebase-functions/v2/https';
export const api = onRequest(async (req, res) => {
  res.json(await load());
});`,
      express: 4,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', (req, res, next) => {
  load().then((data) => res.json(data)).catch(next);
});`,
      express: 4,
    },
    {
      code: `const cache = new Map();
cache.get('/x', async (a, b) => {
  await a;
});`,
      express: 4,
    },
    {
      code: `const axios = require('axios');
axios.get('/x', async (a, b) => {
  await a;
});`,
      express: 4,
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  setTimeout(async () => {
    await load();
  }, 10);
  res.end();
});`,
      express: 4,
    },
  ],
  [
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  res.json(await load());
});`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express');
const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const app = express();
app.get('/x', forwardErrors(async (req, res) => {
  res.json(await load());
}));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', auth, async function (req, res) {
  res.json(await load());
});`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express');
const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const app = express();
app.get('/x', auth, forwardErrors(async function (req, res) {
  res.json(await load());
}));`,
        },
      ],
    },
    {
      code: `import { Router } from 'express';
const router = Router();
router.post('/x', async (req, res) => {
  res.json(await load());
});
export default router;`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `import { Router } from 'express';
const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const router = Router();
router.post('/x', forwardErrors(async (req, res) => {
  res.json(await load());
}));
export default router;`,
        },
      ],
    },
    {
      code: `const express = require('express');
const asyncHandler = require('express-async-handler');
const app = express();
app.get('/x', async (req, res) => {
  res.json(await load());
});`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express');
const asyncHandler = require('express-async-handler');
const app = express();
app.get('/x', asyncHandler(async (req, res) => {
  res.json(await load());
}));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const { catchAsync } = require('./catch');
const app = express();
app.get('/x', async (req, res) => res.json(await load()));`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express');
const { catchAsync } = require('./catch');
const app = express();
app.get('/x', catchAsync(async (req, res) => res.json(await load())));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
async function show(req, res) {
  res.json(await load());
}
app.get('/x', show);`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express');
const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const app = express();
async function show(req, res) {
  res.json(await load());
}
app.get('/x', forwardErrors(show));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  try {
    res.json(await load());
  } catch (error) {
    await report(error);
    res.sendStatus(500);
  }
});`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express');
const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const app = express();
app.get('/x', forwardErrors(async (req, res) => {
  try {
    res.json(await load());
  } catch (error) {
    await report(error);
    res.sendStatus(500);
  }
}));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  const user = await find(req);
  try {
    res.json(await load(user));
  } catch (error) {
    res.sendStatus(500);
  }
});`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express');
const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const app = express();
app.get('/x', forwardErrors(async (req, res) => {
  const user = await find(req);
  try {
    res.json(await load(user));
  } catch (error) {
    res.sendStatus(500);
  }
}));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', async (req, res) => {
  if (!req.query.id) throw new Error('id');
  res.end();
});`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express');
const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const app = express();
app.get('/x', forwardErrors(async (req, res) => {
  if (!req.query.id) throw new Error('id');
  res.end();
}));`,
        },
      ],
    },
    {
      code: `exports.list = async (req, res) => {
  res.json(await load());
};`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
exports.list = forwardErrors(async (req, res) => {
  res.json(await load());
});`,
        },
      ],
    },
    {
      code: `export const list = async (req, res) => {
  res.status(200).json(await load());
};`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
export const list = forwardErrors(async (req, res) => {
  res.status(200).json(await load());
});`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.route('/x').get(async (req, res) => {
  res.json(await load());
}).post(create);`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express');
const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const app = express();
app.route('/x').get(forwardErrors(async (req, res) => {
  res.json(await load());
})).post(create);`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.use(async (req, res, next) => {
  req.user = await find(req);
  next();
});`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express');
const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const app = express();
app.use(forwardErrors(async (req, res, next) => {
  req.user = await find(req);
  next();
}));`,
        },
      ],
    },
    {
      code: `const express = require('express')
const app = express()
app.get('/x', async (req, res) => {
  res.json(await load())
})`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express')
const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next)
const app = express()
app.get('/x', forwardErrors(async (req, res) => {
  res.json(await load())
}))`,
        },
      ],
    },
    {
      code: `import express from "express";
const app = express();
app.get('/x', async (req, res) => {
  res.json(await load());
});`,
      express: 4,
      filename: 'app.ts',
      ids: ['unguarded'],
      suggested: [
        {
          guard: `import express from "express";
const forwardErrors = <P = import("express").Request["params"], ResBody = import("express").Request["body"], ReqBody = import("express").Request["body"], Query = import("express").Request["query"]>(handler: import("express").RequestHandler<P, ResBody, ReqBody, Query>): import("express").RequestHandler<P, ResBody, ReqBody, Query> => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const app = express();
app.get('/x', forwardErrors(async (req, res) => {
  res.json(await load());
}));`,
        },
      ],
    },
    {
      code: `import express from 'express';
const app = express();
app.get('/x', async (req, res) => {
  res.json(await load());
});`,
      express: 4,
      filename: 'app.ts',
      ids: ['unguarded'],
      suggested: [
        {
          guard: `import express from 'express';
const forwardErrors = <P = import('express').Request['params'], ResBody = import('express').Request['body'], ReqBody = import('express').Request['body'], Query = import('express').Request['query']>(handler: import('express').RequestHandler<P, ResBody, ReqBody, Query>): import('express').RequestHandler<P, ResBody, ReqBody, Query> => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const app = express();
app.get('/x', forwardErrors(async (req, res) => {
  res.json(await load());
}));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
const users = {
  async list(req, res) {
    res.json(await load());
  },
};
app.get('/users', users.list);`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express');
const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const app = express();
const users = {
  async list(req, res) {
    res.json(await load());
  },
};
app.get('/users', forwardErrors(users.list));`,
        },
      ],
    },
    {
      code: `const express = require('express');
const app = express();
app.get('/x', [auth, async (req, res) => {
  res.json(await load());
}]);`,
      express: 4,
      ids: ['unguarded'],
      suggested: [
        {
          guard: `const express = require('express');
const forwardErrors = (handler) => (req, res, next) => Promise.resolve(handler(req, res, next)).catch(next);
const app = express();
app.get('/x', [auth, forwardErrors(async (req, res) => {
  res.json(await load());
})]);`,
        },
      ],
    },
  ],
);
