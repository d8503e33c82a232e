// The views: what they are called, their keys, and where their code is, loaded when first shown.
import type { Component } from 'svelte'
import type { ViewName } from '../client/navigation.svelte.ts'

/** `key`: with Ctrl or Cmd; '' for a view that is reached from others. */
type View = { title: string; key: string; component: () => Promise<{ default: Component }> }

export const views: Record<ViewName, View> = {
  models: { title: 'Models', key: '1', component: () => import('../views/models/Models.svelte') },
  recipe: { title: 'New run', key: '2', component: () => import('../views/recipe/Recipe.svelte') },
  runs: { title: 'Runs', key: '3', component: () => import('../views/runs/Runs.svelte') },
  layers: { title: 'Layers', key: '4', component: () => import('../views/layers/Layers.svelte') },
  lab: { title: 'Lab', key: '5', component: () => import('../views/lab/Lab.svelte') },
  compare: { title: 'Compare', key: '6', component: () => import('../views/compare/Compare.svelte') },
  prompt: { title: 'Prompt', key: '7', component: () => import('../views/prompt/Prompt.svelte') },
  tokens: { title: 'Where it fails', key: '', component: () => import('../views/tokens/Tokens.svelte') },
  settings: { title: 'Settings', key: '8', component: () => import('../views/settings/Settings.svelte') },
}
