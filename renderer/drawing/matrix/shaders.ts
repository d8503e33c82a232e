// The programs of the card. The first draws tiles into a sheet that has a pixel for every cell; the second lays the sheet out over
// the view. So a cell is decoded and coloured once, however many pixels it has, and a move of the view decodes nothing.

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
 * The colour of a cell; of a cell of the tile nearest to it where a coarser or finer tile stands in. The value goes through a table
 * of 256 colours; alpha is the table's own, so that the same program draws pictures and what lies over them.
 *
 * Packed tiles (electron/contract/packed-tile.ts) are decoded here: a cell is the mean of block x block numbers of `width` bits.
 */
export const cellShader = `#version 300 es
precision highp float;
precision highp int;
precision highp sampler2D;
precision highp usampler2D;
uniform vec2 size;
uniform vec2 origin;   // of the tile's first cell, device pixels
uniform float cell;    // device pixels of a cell
uniform ivec2 cells;   // of the tile
uniform bool share;    // bytes: 0 none, else 1 + 254 * share
uniform bool sized;    // the size of the value counts
uniform vec2 range;    // the values at the ends of the table
uniform vec4 none;
uniform float opacity;
uniform sampler2D tile;
uniform sampler2D colours;
uniform int width;     // bits of a packed number; 0: cells, not bits
uniform float steps;   // the packed number that stands for 1
uniform int block;     // weights along the edge of a cell
uniform ivec2 weights; // of the packed tile
uniform int flagRows;  // rows of presence: none, one for all, or as many as the tile has
uniform usampler2D bits;
uniform usampler2D flags;
out vec4 colour;

// The sum of a cell's numbers, and how many there are.
vec2 unpacked(ivec2 at) {
  vec2 found = vec2(0.0);
  uint most = (1u << uint(width)) - 1u;
  for (int down = 0; down < block; down++) {
    for (int right = 0; right < block; right++) {
      ivec2 place = at * block + ivec2(right, down);
      if (place.x >= weights.x || place.y >= weights.y) continue;
      if (flagRows > 0) {
        uint flag = texelFetch(flags, ivec2(place.x >> 5, flagRows == 1 ? 0 : place.y), 0).r;
        if (((flag >> uint(place.x & 31)) & 1u) == 0u) continue;
      }
      int bit = place.x * width;
      uint word = texelFetch(bits, ivec2(bit >> 5, place.y), 0).r;
      found += vec2(float((word >> uint(bit & 31)) & most), 1.0);
    }
  }
  return found;
}

vec4 colourAt(vec2 pixel) {
  ivec2 at = clamp(ivec2(floor((pixel - origin) / cell)), ivec2(0), cells - 1);
  float value;
  if (width > 0) {
    vec2 found = unpacked(at);
    if (found.y == 0.0) return none;
    value = found.x / (steps * found.y);
  } else {
    value = texelFetch(tile, at, 0).r;
    if (share) {
      float stored = floor(value * 255.0 + 0.5);
      if (stored == 0.0) return none;
      value = (stored - 1.0) / 254.0;
    } else if (!(value == value)) return none;
  }
  if (sized) value = abs(value);
  float span = range.y - range.x;
  float along = span > 0.0 ? clamp((value - range.x) / span, 0.0, 1.0) : 0.5;
  vec4 found = texelFetch(colours, ivec2(int(floor(along * 255.0 + 0.5)), 0), 0);
  return vec4(found.rgb * found.a, found.a);
}

void main() {
  colour = opacity * colourAt(vec2(gl_FragCoord.x, size.y - gl_FragCoord.y));
}`

/**
 * Lays the sheet of cells out over the view: cells are never blended, but where they are only a few pixels large, four samples a
 * pixel keep their sizes even.
 */
export const sheetShader = `#version 300 es
precision highp float;
precision highp sampler2D;
uniform vec2 size;
uniform vec2 origin; // of the sheet's first cell, device pixels
uniform float cell;  // device pixels of a cell
uniform ivec2 cells; // of the sheet
uniform bool fine;
uniform sampler2D sheet;
out vec4 colour;

vec4 cellAt(vec2 pixel) {
  ivec2 at = clamp(ivec2(floor((pixel - origin) / cell)), ivec2(0), cells - 1);
  return texelFetch(sheet, ivec2(at.x, cells.y - 1 - at.y), 0);
}

void main() {
  vec2 pixel = vec2(gl_FragCoord.x, size.y - gl_FragCoord.y);
  colour = fine ? 0.25 * (cellAt(pixel + vec2(-0.25, -0.25)) + cellAt(pixel + vec2(0.25, -0.25)) +
    cellAt(pixel + vec2(-0.25, 0.25)) + cellAt(pixel + vec2(0.25, 0.25))) : cellAt(pixel);
}`
