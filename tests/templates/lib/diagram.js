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

const task = (id, name, jobType, links) => `<bpmn:serviceTask id="${id}" name="${name}"><bpmn:extensionElements>`
  + `<zeebe:taskDefinition type="${jobType}" /></bpmn:extensionElements>${links}</bpmn:serviceTask>`;

/** A job by which a test sees that an event has come; nobody else does it. */
const told = (into, out) => task('told', 'Tell', 'e2e:told', `<bpmn:incoming>${into}</bpmn:incoming><bpmn:outgoing>${out}</bpmn:outgoing>`);

const outcome = (into) => told(into, 'leave')
  + '<bpmn:endEvent id="left" name="Left"><bpmn:incoming>leave</bpmn:incoming></bpmn:endEvent>'
  + flow('leave', 'told', 'left');

/** Work that goes on until an event ends it. */
const lasting = () => between(task('host', 'Long work', 'e2e:nobody', LINKS), shape('host', 260, 80, 100, 80));

const boundary = () => {
  const { content, drawn } = lasting();
  return {
    target: 'guard',
    content: `${content}<bpmn:boundaryEvent id="guard" name="Told" attachedToRef="host"><bpmn:outgoing>notice</bpmn:outgoing>`
      + `</bpmn:boundaryEvent>${outcome('notice')}${flow('notice', 'guard', 'told')}`,
    drawn: [...drawn, shape('guard', 292, 142, 36, 36), shape('told', 260, 220, 100, 80), shape('left', 460, 242, 36, 36),
      edge('notice', 310, 178, 310, 220), edge('leave', 360, 260, 460, 260)],
  };
};

const subProcessStart = () => {
  const { content, drawn } = lasting();
  return {
    target: 'innerStart',
    content: `${content}<bpmn:subProcess id="inner" name="Told" triggeredByEvent="true">`
      + `<bpmn:startEvent id="innerStart" name="Told"><bpmn:outgoing>notice</bpmn:outgoing></bpmn:startEvent>`
      + `${outcome('notice')}${flow('notice', 'innerStart', 'told')}</bpmn:subProcess>`,
    drawn: [...drawn, shape('inner', 160, 200, 360, 120).replace(' bpmnElement', ' isExpanded="true" bpmnElement'), shape('innerStart', 190, 242, 36, 36), shape('told', 270, 220, 100, 80),
      shape('left', 440, 242, 36, 36), edge('notice', 226, 260, 270, 260), edge('leave', 370, 260, 440, 260)],
  };
};

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
    content: START + outcome('begin') + flow('begin', 'start', 'told'),
    drawn: [shape('start', 160, 102, 36, 36), shape('told', 260, 80, 100, 80), shape('left', 460, 102, 36, 36),
      edge('begin', 196, 120, 260, 120), edge('leave', 360, 120, 460, 120)],
  },
  boundary: boundary(),
  subProcessStart: subProcessStart(),
};

const isCorrelation = ({ binding }) => binding.type === 'bpmn:Message#zeebe:subscription#property';

/** Where a template goes in, the place with most fields first. */
export function placesOf(template) {
  const becomes = template.elementType?.value ?? template.appliesTo[0];
  if (becomes === 'bpmn:BoundaryEvent') return ['boundary'];
  if (becomes === 'bpmn:StartEvent') return template.properties.some(isCorrelation) ? ['subProcessStart', 'start'] : ['start'];
  return [/Event$/.test(becomes) ? 'throw' : 'task'];
}

/** The template as it is in a place: what starts a process correlates with nothing. */
export const within = (template, place) => (place === 'start'
  ? { ...template, properties: template.properties.filter((property) => !isCorrelation(property)) } : template);

/** A diagram with one process, and the id of the element that the template is for. */
export function diagram(template, processId, place = placesOf(template)[0]) {
  const { target, content, drawn } = PLACES[place];
  const xml = `<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:modeler="http://camunda.org/schema/modeler/1.0" id="definitions" targetNamespace="http://bpmn.io/schema/bpmn" modeler:executionPlatform="Camunda Cloud" modeler:executionPlatformVersion="${VERSION}">
  <bpmn:process id="${processId}" name="${template.name}" isExecutable="true">${content}</bpmn:process>
  <bpmndi:BPMNDiagram id="drawing"><bpmndi:BPMNPlane id="plane" bpmnElement="${processId}">${drawn.join('')}</bpmndi:BPMNPlane></bpmndi:BPMNDiagram>
</bpmn:definitions>`;
  return { xml, target };
}
