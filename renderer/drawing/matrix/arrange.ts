// Two pictures side by side, or one above the other: whichever shows the matrix larger.
import { fit, type MatrixSize, type Size } from './camera.ts'

/** What a pane needs around its matrix: rulers, title, legend. */
const around = { width: 56, height: 108 }

export function stacked(matrix: MatrixSize, { width, height }: Size): boolean {
  const cell = (across: number, down: number) =>
    fit(matrix, { width: width / across - around.width, height: height / down - around.height }).cell
  // Side by side unless the other is clearly better: rows are easier to compare along one line.
  return cell(1, 2) > 1.25 * cell(2, 1)
}
