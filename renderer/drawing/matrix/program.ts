// A program of the graphics card and the places of its uniforms.
export class Program {
  #gl: WebGL2RenderingContext
  #program: WebGLProgram
  #places = new Map<string, WebGLUniformLocation | null>()

  /** Throws where the shaders do not compile. */
  constructor(gl: WebGL2RenderingContext, vertex: string, fragment: string) {
    this.#gl = gl
    this.#program = gl.createProgram()
    for (const [type, source] of [
      [gl.VERTEX_SHADER, vertex],
      [gl.FRAGMENT_SHADER, fragment],
    ] as const) {
      const shader = gl.createShader(type)!
      gl.shaderSource(shader, source)
      gl.compileShader(shader)
      gl.attachShader(this.#program, shader)
      if (!gl.getShaderParameter(shader, gl.COMPILE_STATUS) && !gl.isContextLost()) {
        throw new Error(gl.getShaderInfoLog(shader) ?? 'a shader does not compile')
      }
    }
    gl.linkProgram(this.#program)
  }

  /** Asked of the card once. */
  place(name: string): WebGLUniformLocation | null {
    if (!this.#places.has(name)) this.#places.set(name, this.#gl.getUniformLocation(this.#program, name))
    return this.#places.get(name) ?? null
  }

  use(): void {
    this.#gl.useProgram(this.#program)
  }
}
