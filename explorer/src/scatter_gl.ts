// Points by WebGL2. One context serves all scatters of a page, for a browser grants few: it draws out of sight, and each scatter takes
// its copy. Only a context in hardware is taken: where it would be emulated, the pixel buffer is quicker.
import type { Look, Points } from "./scatter_points";

// The place is taken relative to the view in two steps, so that a deep zoom does not shake: float32 holds the first difference exactly.
const kVertex = `#version 300 es
in vec2 place;
in uint slot;
uniform vec2 origin;
uniform vec2 rest;
uniform vec2 scale;
uniform float side;
uniform sampler2D palette;
flat out vec4 tint;
void main() {
  tint = texelFetch(palette, ivec2(int(slot & 255u), int(slot >> 8)), 0);
  gl_Position = tint.a > 0.0 ? vec4(((place - origin) - rest) * scale - 1.0, 0.0, 1.0) : vec4(2.0, 2.0, 2.0, 1.0);
  gl_PointSize = side;
}`;
const kFragment = `#version 300 es
precision highp float;
flat in vec4 tint;
uniform float side;
out vec4 color;
void main() {
  float share = side <= 3.0 ? 1.0 : clamp(side * (0.5 - distance(gl_PointCoord, vec2(0.5))) + 0.5, 0.0, 1.0);
  color = vec4(tint.rgb, tint.a * share);
}`;
const kSlotsARow = 256;

interface Shared {
  gl: WebGL2RenderingContext;
  program: WebGLProgram;
  palette: WebGLTexture;
}

export interface GlPoints {
  shared: Shared;
  array: WebGLVertexArrayObject;
  count: number;
}

let shared: Shared | null | undefined;

function programOf(gl: WebGL2RenderingContext): WebGLProgram | null {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, kVertex], [gl.FRAGMENT_SHADER, kFragment]] as const) {
    const shader = gl.createShader(kind);
    if (!shader) return null;
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.bindAttribLocation(program, 0, "place");
  gl.bindAttribLocation(program, 1, "slot");
  gl.linkProgram(program);
  return gl.getProgramParameter(program, gl.LINK_STATUS) ? program : null;
}

// Whether the context is a program's doing. Browsers say so by failIfMajorPerformanceCaveat, but not all; some hide the name at first.
function isEmulated(gl: WebGL2RenderingContext): boolean {
  let name = String(gl.getParameter(gl.RENDERER));
  const more = name.startsWith("WebKit") ? gl.getExtension("WEBGL_debug_renderer_info") : null;
  if (more) name = String(gl.getParameter(more.UNMASKED_RENDERER_WEBGL));
  return /swiftshader|llvmpipe|softpipe|software|basic render/i.test(name);
}

function openShared(): Shared | null {
  const gl = document.createElement("canvas").getContext("webgl2", { alpha: false, antialias: false, depth: false, failIfMajorPerformanceCaveat: true });
  const program = gl && !isEmulated(gl) ? programOf(gl) : null;
  return gl && program ? { gl, program, palette: gl.createTexture() } : null;
}

// The points in the device's memory, those without a place left out; null where there is no WebGL2.
export function makeGlPoints(points: Points): GlPoints | null {
  shared ??= openShared();
  if (!shared || shared.gl.isContextLost()) return null;
  const { gl } = shared;
  const places = new Float32Array(2 * points.x.length);
  const slots = new Uint32Array(points.x.length);
  let count = 0;
  for (let i = 0; i < points.x.length; ++i) {
    if (!Number.isFinite(points.x[i]!) || !Number.isFinite(points.y[i]!)) continue;
    places[2 * count] = points.x[i]!;
    places[2 * count + 1] = points.y[i]!;
    slots[count++] = points.slot[i]!;
  }
  const array = gl.createVertexArray();
  gl.bindVertexArray(array);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, places.subarray(0, 2 * count), gl.STATIC_DRAW);
  gl.enableVertexAttribArray(0);
  gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, slots.subarray(0, count), gl.STATIC_DRAW);
  gl.enableVertexAttribArray(1);
  gl.vertexAttribIPointer(1, 1, gl.UNSIGNED_INT, 0, 0);
  return { shared, array, count };
}

function setPalette(gl: WebGL2RenderingContext, palette: WebGLTexture, look: Look): void {
  const rows = Math.max(1, Math.ceil(look.colors.length / kSlotsARow));
  const texels = new Uint8Array(4 * kSlotsARow * rows);
  look.colors.forEach((color, i) => texels.set([...color, Math.round(look.opacities[i]! * 255)], 4 * i));
  gl.bindTexture(gl.TEXTURE_2D, palette);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, kSlotsARow, rows, 0, gl.RGBA, gl.UNSIGNED_BYTE, texels);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
  gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
}

// Draws onto the layer of `context`; false where the device was lost meanwhile.
export function drawGl(context: CanvasRenderingContext2D, points: GlPoints, look: Look): boolean {
  const { gl, program, palette } = points.shared;
  const { canvas } = gl;
  if (gl.isContextLost()) return false;
  if (canvas.width < look.width) canvas.width = look.width;
  if (canvas.height < look.height) canvas.height = look.height;
  if (gl.drawingBufferWidth < look.width || gl.drawingBufferHeight < look.height) return false;
  const { view } = look;
  gl.viewport(0, 0, look.width, look.height);
  gl.clearColor(look.ground[0] / 255, look.ground[1] / 255, look.ground[2] / 255, 1);
  gl.clear(gl.COLOR_BUFFER_BIT);
  gl.useProgram(program);
  gl.enable(gl.BLEND);
  gl.blendFunc(gl.SRC_ALPHA, gl.ONE_MINUS_SRC_ALPHA);
  setPalette(gl, palette, look);
  const set = (name: string, ...values: [number, number]) => gl.uniform2f(gl.getUniformLocation(program, name), ...values);
  const [x, y] = [Math.fround(view.x0), Math.fround(view.y0)];
  set("origin", x, y);
  set("rest", view.x0 - x, view.y0 - y);
  set("scale", 2 / (view.x1 - view.x0), 2 / (view.y1 - view.y0));
  gl.uniform1f(gl.getUniformLocation(program, "side"), look.side);
  gl.bindVertexArray(points.array);
  gl.drawArrays(gl.POINTS, 0, points.count);
  context.drawImage(canvas, 0, canvas.height - look.height, look.width, look.height, 0, 0, look.width, look.height);
  return !gl.isContextLost();
}
