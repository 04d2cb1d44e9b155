// The diagrams that templates are dropped into: what a modeler has drawn before.

const VERSION = '8.8.0';

const shape = (id, x, y, width, height) =>
  `<bpmndi:BPMNShape id="${id}_di" bpmnElement="${id}"><dc:Bounds x="${x}" y="${y}" width="${width}" height="${height}" /></bpmndi:BPMNShape>`;

const edge = (id, x, y, toX, toY) =>
  `<bpmndi:BPMNEdge id="${id}_di" bpmnElement="${id}"><di:waypoint x="${x}" y="${y}" /><di:waypoint x="${toX}" y="${toY}" /></bpmndi:BPMNEdge>`;

const START = '<bpmn:startEvent id="start" name="Begun"><bpmn:outgoing>begin</bpmn:outgoing></bpmn:startEvent>';
const END = '<bpmn:endEvent id="end" name="Done"><bpmn:incoming>finish</bpmn:incoming></bpmn:endEvent>';
const flow = (id, from, to) => `<bpmn:sequenceFlow id="${id}" sourceRef="${from}" targetRef="${to}" />`;

const FRAME = {
  shapes: [shape('start', 160, 102, 36, 36), shape('end', 460, 102, 36, 36)],
  edges: [edge('begin', 196, 120, 260, 120), edge('finish', 360, 120, 460, 120)],
};

const between = (element, drawn) => ({
  content: START + element + END + flow('begin', 'start', 'host') + flow('finish', 'host', 'end'),
  drawn: [...FRAME.shapes, drawn, ...FRAME.edges],
});

const LINKS = '<bpmn:incoming>begin</bpmn:incoming><bpmn:outgoing>finish</bpmn:outgoing>';

/** By kind of place: its content, its drawing, and the element that gets the template. */
const PLACES = {
  task: { target: 'host', ...between(`<bpmn:task id="host" name="Work">${LINKS}</bpmn:task>`, shape('host', 260, 80, 100, 80)) },
  throw: {
    target: 'host',
    ...between(`<bpmn:intermediateThrowEvent id="host" name="Awaited">${LINKS}</bpmn:intermediateThrowEvent>`,
      shape('host', 292, 102, 36, 36)),
  },
  start: {
    target: 'start',
    content: `${START}<bpmn:endEvent id="end" name="Done"><bpmn:incoming>begin</bpmn:incoming></bpmn:endEvent>${flow('begin', 'start', 'end')}`,
    drawn: [shape('start', 160, 102, 36, 36), shape('end', 260, 102, 36, 36), edge('begin', 196, 120, 260, 120)],
  },
  boundary: {
    target: 'guard',
    content: `${between(`<bpmn:serviceTask id="host" name="Long work"><bpmn:extensionElements><zeebe:taskDefinition type="nobody" /></bpmn:extensionElements>${LINKS}</bpmn:serviceTask>`, '').content}`
      + '<bpmn:boundaryEvent id="guard" name="Told" attachedToRef="host"><bpmn:outgoing>leave</bpmn:outgoing></bpmn:boundaryEvent>'
      + `<bpmn:endEvent id="told" name="Left"><bpmn:incoming>leave</bpmn:incoming></bpmn:endEvent>${flow('leave', 'guard', 'told')}`,
    drawn: [...FRAME.shapes, shape('host', 260, 80, 100, 80), shape('guard', 292, 142, 36, 36),
      shape('told', 292, 232, 36, 36), ...FRAME.edges, edge('leave', 310, 178, 310, 232)],
  },
  subProcessStart: {
    target: 'innerStart',
    ...between(`<bpmn:serviceTask id="host" name="Long work"><bpmn:extensionElements><zeebe:taskDefinition type="nobody" /></bpmn:extensionElements>${LINKS}</bpmn:serviceTask>`,
      shape('host', 260, 80, 100, 80)),
  },
};
PLACES.subProcessStart.content += '<bpmn:subProcess id="inner" name="Told" triggeredByEvent="true">'
  + '<bpmn:startEvent id="innerStart" name="Told"><bpmn:outgoing>innerFlow</bpmn:outgoing></bpmn:startEvent>'
  + '<bpmn:endEvent id="innerEnd" name="Left"><bpmn:incoming>innerFlow</bpmn:incoming></bpmn:endEvent>'
  + `${flow('innerFlow', 'innerStart', 'innerEnd')}</bpmn:subProcess>`;
PLACES.subProcessStart.drawn = [...PLACES.subProcessStart.drawn, shape('inner', 160, 220, 300, 120),
  shape('innerStart', 200, 262, 36, 36), shape('innerEnd', 300, 262, 36, 36), edge('innerFlow', 236, 280, 300, 280)];

/** Where a template goes in: the kind of place that its first `appliesTo` names. */
export function placeOf(template) {
  const becomes = template.elementType?.value ?? template.appliesTo[0];
  if (becomes === 'bpmn:BoundaryEvent') return 'boundary';
  if (becomes === 'bpmn:StartEvent') return needsSubProcess(template) ? 'subProcessStart' : 'start';
  if (/Event$/.test(becomes)) return 'throw';
  return 'task';
}

// A start event with a correlation key can only be one of an event sub-process.
const needsSubProcess = (template) =>
  template.properties.some(({ binding }) => binding.type === 'bpmn:Message#zeebe:subscription#property');

/** A diagram with one process, and the id of the element that the template is for. */
export function diagram(template, processId) {
  const { target, content, drawn } = PLACES[placeOf(template)];
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="definitions" targetNamespace="http://bpmn.io/schema/bpmn" modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="${VERSION}">
  <bpmn:process id="${processId}" name="${template.name}" isExecutable="true">${content}</bpmn:process>
  <bpmndi:BPMNDiagram id="drawing"><bpmndi:BPMNPlane id="plane" bpmnElement="${processId}">${drawn.join('')}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>`;
  return { xml, target };
}
