// The manifests of docs/deploys.md against the schemas of what reads them: Kubernetes, Docker Compose, Dockerfile.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { validate as validateDockerfile } from 'dockerfile-utils';
import { load } from 'js-yaml';
import { Deployment } from 'kubernetes-models/apps/v1';

const require = createRequire(import.meta.url);
const page = readFileSync(new URL('../../../docs/deploys.md', import.meta.url), 'utf8');

/** The first block of a language below a heading. */
function block(heading, language) {
  const section = page.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  return new RegExp(`\`\`\`${language}\n(.*?)\`\`\``, 's').exec(section)?.[1] ?? '';
}

/** Refuses what the API server refuses: a wrong type or a missing field (its OpenAPI schema), and a field that it does not know. */
function checkPod(spec) {
  const metadata = { labels: { app: 'app' } };
  const template = { metadata, spec };
  new Deployment({
    metadata: { name: 'app' },
    spec: { selector: { matchLabels: metadata.labels }, template },
  }).validate();
  checkFields('PodSpec', spec);
  for (const container of spec.containers) {
    checkFields('Container', container);
    for (const kind of ['startupProbe', 'readinessProbe', 'livenessProbe']) {
      const { [kind]: probe = {} } = container;
      checkFields('Probe', probe);
      checkFields('HTTPGetAction', probe.httpGet ?? {});
      checkFields('TCPSocketAction', probe.tcpSocket ?? {});
    }
  }
}

function checkFields(type, object) {
  const models = dirname(require.resolve('kubernetes-models/package.json'));
  const types = readFileSync(join(models, 'v1', `${type}.d.ts`), 'utf8');
  const known = new Set([...types.matchAll(/^\s*"?(\w+)"?\??:/gm)].map(([, name]) => name));
  for (const name of Object.keys(object)) assert.ok(known.has(name), `${type} has no "${name}"`);
}

test('Kubernetes takes the pod of the docs', () => {
  const { spec } = load(block('Kubernetes', 'yaml'));
  checkPod(spec);
  const [container] = spec.containers;
  // Each probe asks for something else.
  assert.equal(container.readinessProbe.httpGet.path, '/ready');
  assert.equal(container.startupProbe.httpGet.path, '/ready');
  assert.equal(container.livenessProbe.httpGet, undefined);
});

test('the check refuses a pod that Kubernetes would refuse', () => {
  const text = block('Kubernetes', 'yaml');
  const refused = [
    ['readinessProbe', 'readinesProbe'],
    ['periodSeconds: 2', 'periodSeconds: 2s'],
    ['terminationGracePeriodSeconds: 40', 'terminationGracePeriod: 40'],
    ['tcpSocket: { port: 3000 }', 'tcpSocket: {}'],
  ];
  for (const [right, wrong] of refused) {
    assert.ok(text.includes(right), right);
    assert.throws(() => checkPod(load(text.replace(right, wrong)).spec), wrong);
  }
});

test("Docker Compose's specification takes the compose file of the docs", () => {
  const dclint = dirname(require.resolve('dclint/package.json'));
  const Ajv = createRequire(join(dclint, 'package.json'))('ajv').default;
  const schema = JSON.parse(readFileSync(join(dclint, 'schemas/compose.schema.json'), 'utf8'));
  delete schema.$schema;
  const ajv = new Ajv({ strict: false, validateFormats: false });
  const validate = ajv.compile(schema);
  const text = block('Docker', 'yaml');
  assert.ok(validate(load(text)), ajv.errorsText(validate.errors));
  assert.ok(!validate(load(text.replace('stop_grace_period', 'stop_grace'))));
});

test('the Dockerfile of the docs has no mistake', () => {
  assert.deepEqual(validateDockerfile(block('Docker', 'dockerfile')), []);
  assert.notDeepEqual(
    validateDockerfile(block('Docker', 'dockerfile').replace('STOPSIGNAL', 'STOPSIGNL')),
    [],
  );
});
