// The two halves of the program that draws a tile: a rectangle, and what colour each of its pixels has.

/** `rectangle`: left, top, right, bottom in device pixels of a view of `size`. */
export const vertexShader = `#version 300 es
uniform vec4 rectangle;
uniform vec2 size;
void main() {
  vec2 corner = vec2(gl_VertexID & 1, gl_VertexID >> 1);
  vec2 place = mix(rectangle.xy, rectangle.zw, corner);
  gl_Position = vec4(2.0 * place.x / size.x - 1.0, 1.0 - 2.0 * place.y / size.y, 0.0, 1.0);
}`

/**
 * Cells are sampled, never blended; where they are only a few pixels large, four samples a pixel keep their sizes even. The value
 * goes through a table of 256 colours; alpha is the table's own, so that the same program draws pictures and overlays.
 */
export const fragmentShader = `#version 300 es
precision highp float;
precision highp sampler2D;
uniform vec2 size;
uniform vec2 origin;  // of the tile's first cell, device pixels
uniform float cell;   // device pixels of a cell
uniform ivec2 cells;  // of the tile
uniform bool share;   // bytes: 0 none, else 1 + 254 * share
uniform bool sized;   // the size of the value counts
uniform vec2 range;   // the values at the ends of the table
uniform vec4 none;
uniform sampler2D tile;
uniform sampler2D colours;
out vec4 colour;

vec4 colourAt(vec2 pixel) {
  ivec2 at = clamp(ivec2(floor((pixel - origin) / cell)), ivec2(0), cells - 1);
  float value = texelFetch(tile, at, 0).r;
  if (share) {
    float stored = floor(value * 255.0 + 0.5);
    if (stored == 0.0) return none;
    value = (stored - 1.0) / 254.0;
  } else if (!(value == value)) return none;
  if (sized) value = abs(value);
  float width = range.y - range.x;
  float along = width > 0.0 ? clamp((value - range.x) / width, 0.0, 1.0) : 0.5;
  vec4 found = texelFetch(colours, ivec2(int(floor(along * 255.0 + 0.5)), 0), 0);
  return vec4(found.rgb * found.a, found.a);
}

void main() {
  vec2 pixel = vec2(gl_FragCoord.x, size.y - gl_FragCoord.y);
  if (cell >= 4.0) {
    colour = colourAt(pixel);
    return;
  }
  colour = 0.25 * (colourAt(pixel + vec2(-0.25, -0.25)) + colourAt(pixel + vec2(0.25, -0.25)) +
    colourAt(pixel + vec2(-0.25, 0.25)) + colourAt(pixel + vec2(0.25, 0.25)));
}`
