// Runs in the browser: a Camunda modeler with a properties panel, worked through the page as
// a person would: choose, type, toggle, open a group. Nothing here judges.

import Modeler from 'camunda-bpmn-js/lib/camunda-cloud/Modeler';
import { BpmnPropertiesPanelModule, BpmnPropertiesProviderModule } from 'bpmn-js-properties-panel';
import { CloudElementTemplatesLinterPlugin } from 'bpmn-js-element-templates';
import { Linter } from '@camunda/linting';
import lintingModule from '@camunda/linting/modeler';

import 'camunda-bpmn-js/dist/assets/camunda-cloud-modeler.css';
import '@camunda/linting/assets/linting.css';

const QUIET_TURNS = 4;
const MOST_MILLISECONDS = 5000;

let modeler;
let linter;

/** Opens a diagram in a new modeler and drops the template on the element. */
export async function open(template, { xml, target }) {
  modeler?.destroy();
  document.body.innerHTML = '<div id="canvas"></div><div id="panel"></div>';
  const refused = [];
  modeler = new Modeler({
    container: '#canvas',
    propertiesPanel: { parent: '#panel', debounceInput: false },
    additionalModules: [BpmnPropertiesPanelModule, BpmnPropertiesProviderModule, lintingModule],
    linting: { active: true },
  });
  modeler.on('elementTemplates.errors', ({ errors }) => refused.push(...errors.map(String)));
  linter = new Linter({ plugins: [CloudElementTemplatesLinterPlugin([template])] });
  const { warnings } = await modeler.importXML(xml);
  modeler.get('elementTemplatesLoader').setTemplates([template]);
  await settled();
  const applied = refused.length === 0
    && modeler.get('elementTemplates').applyTemplate(modeler.get('elementRegistry').get(target), template);
  if (applied) await select(applied);
  return { applied: Boolean(applied), refused, warnings: warnings.map(({ message }) => message) };
}

/** Selects an element until the panel shows it: it may not listen yet. */
async function select(element) {
  const shown = await awaited(() => {
    modeler.get('selection').select(null);
    modeler.get('selection').select(element);
    return document.querySelector('[data-group-id$="ElementTemplates__Template"]');
  });
  if (!shown) throw new Error('the panel does not show the template');
  await settled();
}

/** Waits until the panel has drawn what was done to it: nothing changes for a while. */
async function settled() {
  let quiet = 0;
  const observer = new MutationObserver(() => { quiet = 0; });
  observer.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
  for (; quiet < QUIET_TURNS; quiet += 1) await new Promise((resolve) => setTimeout(resolve));
  observer.disconnect();
}

/** What `find` finds, as soon as it does. */
async function awaited(find) {
  const end = performance.now() + MOST_MILLISECONDS;
  for (;;) {
    const found = find();
    if (found || performance.now() > end) return found;
    await settled();
  }
}

const entry = (id) => document.querySelector(`[data-entry-id="${CSS.escape(id)}"]`);

function readEntry(node) {
  const text = (selector) => node.querySelector(selector)?.textContent.trim() ?? '';
  return {
    id: node.dataset.entryId,
    label: text('.bio-properties-panel-label'),
    help: text('.bio-properties-panel-description'),
    error: node.classList.contains('has-error') ? text('.bio-properties-panel-error') || 'red' : '',
    feel: Boolean(node.querySelector('.bio-properties-panel-feel-editor-container')),
    placeholder: node.querySelector('[placeholder]')?.getAttribute('placeholder') ?? '',
    fieldHeight: Math.round(node.getBoundingClientRect().height),
  };
}

/** The groups of the panel as they stand. */
export function read() {
  return [...document.querySelectorAll('.bio-properties-panel-group')].map((group) => ({
    id: group.dataset.groupId,
    label: group.querySelector('.bio-properties-panel-group-header-title')?.textContent.trim(),
    open: Boolean(group.querySelector('.bio-properties-panel-group-entries.open, .bio-properties-panel-list.open')),
    entries: [...group.querySelectorAll('.bio-properties-panel-entry')].map(readEntry),
  }));
}

/** Opens groups: all of them, or those whose id `which` holds. */
export async function openGroups(which) {
  for (const group of document.querySelectorAll('.bio-properties-panel-group')) {
    const closed = !group.querySelector('.bio-properties-panel-group-entries.open, .bio-properties-panel-list.open');
    if (closed && (!which || which.includes(group.dataset.groupId))) {
      group.querySelector('.bio-properties-panel-group-header').click();
    }
  }
  await settled();
}

/** The height of the whole panel, header and groups, in pixels. */
export function height() {
  const parts = document.querySelectorAll('.bio-properties-panel-header, .bio-properties-panel-group');
  return Math.ceil([...parts].reduce((sum, part) => sum + part.getBoundingClientRect().height, 0));
}

/** Chooses or types a value into the field of an entry. */
export async function put(id, value) {
  const node = await awaited(() => entry(id));
  if (!node) throw new Error(`no field ${id}`);
  const select = node.querySelector('select');
  const box = node.querySelector('input[type=checkbox]');
  if (select) {
    choose(select, value);
  } else if (box) {
    if (box.checked !== value) box.click();
  } else {
    await type(node, value);
  }
  await settled();
}

function choose(select, value) {
  if (![...select.options].some((option) => option.value === String(value))) {
    throw new Error(`no choice '${value}' among ${[...select.options].map((o) => o.value)}`);
  }
  select.value = value;
  select.dispatchEvent(new Event('input', { bubbles: true }));
}

async function type(node, value) {
  const isExpression = String(value).startsWith('=');
  const editor = () => node.querySelector('.cm-content');
  if (isExpression && !editor()) {
    node.querySelector('.bio-properties-panel-feel-icon').click();
    if (!await awaited(editor)) throw new Error(`no expression can be written into ${node.dataset.entryId}`);
  }
  if (editor()) {
    editor().focus();
    document.execCommand('selectAll');
    document.execCommand('insertText', false, isExpression ? value.slice(1) : value);
    await settled();
    editor().blur();
  } else {
    const input = node.querySelector('input, textarea');
    input.focus();
    input.value = value;
    input.dispatchEvent(new Event('input', { bubbles: true }));
    input.blur();
  }
}

/** Findings of the modeler's linter for each version, shown in the panel for the last. */
export async function lint(versions) {
  const xml = await save();
  const found = [];
  for (const version of versions) {
    const reports = await linter.lint(xml.replace(/(executionPlatformVersion=")[^"]*/, `$1${version}`));
    modeler.get('linting').setErrors(reports);
    found.push(...reports.map(({ id, rule, message, category }) => ({ version, id, rule, message, category })));
  }
  await settled();
  return found;
}

/** The diagram as the modeler saves it. */
export async function save() {
  return (await modeler.saveXML({ format: true })).xml;
}
