// The template files and the folders that the checks write to.

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

const folder = process.env.TEMPLATES ?? join(ROOT, 'element-templates');

/** Where diagrams with templates applied go, for the end-to-end suite. */
export const APPLIED = process.env.TEMPLATES_APPLIED ?? join(ROOT, 'target/templates');

/** Where pictures for the documentation go. */
export const IMAGES = join(ROOT, 'docs/images');

const read = (path) => {
  const text = readFileSync(path, 'utf8');
  return { name: basename(path, '.json'), path, text, template: JSON.parse(text) };
};

/** Every template file, older versions too. */
export const everyFile = () => readdirSync(folder, { recursive: true })
  .filter((path) => path.endsWith('.json')).sort().map((path) => read(join(folder, path)));

/** The templates that a modeler is offered: not the older versions. */
export const current = () => everyFile().filter(({ path }) => !path.includes('versioned'));
