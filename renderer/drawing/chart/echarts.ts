// Of ECharts only what the charts here use. Chart.svelte imports this file when the first chart is shown: it is a chunk of its own.
import { BarChart, LineChart, ParallelChart, ScatterChart } from 'echarts/charts'
import {
  DataZoomInsideComponent,
  GridComponent,
  MarkLineComponent,
  ParallelComponent,
  TooltipComponent,
} from 'echarts/components'
import { init, use } from 'echarts/core'
import { LabelLayout } from 'echarts/features'
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers'

use([
  BarChart,
  LineChart,
  ParallelChart,
  ScatterChart,
  DataZoomInsideComponent,
  GridComponent,
  MarkLineComponent,
  ParallelComponent,
  TooltipComponent,
  LabelLayout,
  CanvasRenderer,
  // For files and reports.
  SVGRenderer,
])

export { init }
