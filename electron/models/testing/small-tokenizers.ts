// Small tokenizers in the forms that the families ship: cut from two committed ones, with each family's special tokens, its way of
// splitting a text, and its flags. Every character or byte stays, so every text has ids.
import { readFileSync } from 'node:fs'
import path from 'node:path'

const root = path.resolve(import.meta.dirname, '..', '..', '..')
const sources = {
  sentencepiece: path.join(root, 'resources', 'models', 'signum-stories-4m'),
  bytes: path.join(root, 'electron', 'models', 'testdata', 'opt-tinystories-1m'),
}

export interface TokenizerFiles {
  /** tokenizer.json and tokenizer_config.json. */
  readonly file: object
  readonly settings: object
  /** Ids below this one are in the vocabulary; a model may have more rows. */
  readonly size: number
}

interface Added {
  readonly content: string
  readonly special?: boolean
  readonly rstrip?: boolean
}

interface Plan {
  readonly kind: 'sentencepiece' | 'bytes'
  /** Special tokens with the first ids, the unknown one among them. */
  readonly first: readonly string[]
  /** Added tokens after the vocabulary. */
  readonly last?: readonly Added[]
  /** Merges that are kept; each makes one piece at most. */
  readonly merges: number
  /** Merges before those. */
  readonly firstMerges?: readonly string[]
  readonly normalizer: unknown
  readonly preTokenizer: unknown
  readonly begin: string | null
  readonly flags?: object
  readonly settings: object
}

function cut(plan: Plan): TokenizerFiles {
  const source = JSON.parse(readFileSync(path.join(sources[plan.kind], 'tokenizer.json'), 'utf8')) as {
    model: { vocab: Record<string, number>; merges: string[] }
  }
  const merges = [...(plan.firstMerges ?? []), ...source.model.merges.slice(0, plan.merges)]
  const products = merges.map((merge) => merge.replace(' ', ''))
  const whole = Object.keys(source.model.vocab)
  // In sentencepiece's order: bytes, merged pieces, characters.
  const bytes = whole.filter((token) => /^<0x..>$/.test(token))
  const characters = whole.filter((token) => Array.from(token).length === 1)
  const pieces = plan.kind === 'sentencepiece' ? [...bytes, ...products, ...characters] : [...characters, ...products]
  const tokens = [...new Set([...plan.first, ...pieces])]
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  const added = [...plan.first.map((content) => ({ content, special: true })), ...(plan.last ?? [])]
  const idOf = new Map(tokens.map((token, id) => [token, id]))
  for (const { content } of added) if (!idOf.has(content)) idOf.set(content, idOf.size)
  return {
    size: idOf.size,
    file: {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: added.map(({ content, special = true, rstrip = false }: Added) => ({
        id: idOf.get(content),
        content,
        single_word: false,
        lstrip: false,
        rstrip,
        normalized: false,
        special,
      })),
      normalizer: plan.normalizer,
      pre_tokenizer: plan.preTokenizer,
      post_processor: plan.begin === null ? byteLevelEnd : template(plan.begin, idOf.get(plan.begin)!),
      decoder: plan.kind === 'sentencepiece' ? pieceDecoder(plan.normalizer !== spaces) : byteLevel(true),
      model: {
        type: 'BPE',
        dropout: null,
        unk_token: plan.kind === 'sentencepiece' ? '<unk>' : null,
        continuing_subword_prefix: null,
        end_of_word_suffix: null,
        fuse_unk: plan.kind === 'sentencepiece',
        byte_fallback: plan.kind === 'sentencepiece',
        ...plan.flags,
        vocab,
        merges,
      },
    },
    settings: plan.settings,
  }
}

const byteLevel = (regex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: regex,
})
const byteLevelEnd = { ...byteLevel(false), trim_offsets: false }
const pieceDecoder = (strip: boolean) => ({
  type: 'Sequence',
  decoders: [
    { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
    { type: 'ByteFallback' },
    { type: 'Fuse' },
    ...(strip ? [{ type: 'Strip', content: ' ', start: 1, stop: 0 }] : []),
  ],
})
const template = (token: string, id: number) => ({
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: token, type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  pair: [
    { SpecialToken: { id: token, type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: token, type_id: 1 } },
    { Sequence: { id: 'B', type_id: 1 } },
  ],
  special_tokens: { [token]: { id: token, ids: [id], tokens: [token] } },
})

const spaces = { type: 'Replace', pattern: { String: ' ' }, content: '▁' }
const spacesAndFirst = { type: 'Sequence', normalizers: [{ type: 'Prepend', prepend: '▁' }, spaces] }
/** A text is split where the expression matches, then written in the 256 characters that stand for bytes. */
const split = (expression: string) => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: expression }, behavior: 'Isolated', invert: false },
    { ...byteLevel(false), trim_offsets: false },
  ],
})
const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
const words = (digits: string) =>
  `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`
const threeDigits = words('\\p{N}{1,3}')
const oneDigit = words('\\p{N}')

const plainChat =
  "{% for message in messages %}{{ '<|' + message['role'] + '|>\\n' + message['content'] + '\\n' }}{% endfor %}"

/** LLaMA 1 and 2, TinyLlama, Mistral. */
export const llamaTokenizer = (): TokenizerFiles =>
  cut({
    kind: 'sentencepiece',
    first: ['<unk>', '<s>', '</s>'],
    merges: 200,
    normalizer: spacesAndFirst,
    preTokenizer: null,
    begin: '<s>',
    settings: {
      add_bos_token: true,
      add_eos_token: false,
      bos_token: { __type: 'AddedToken', content: '<s>', lstrip: false, normalized: true, rstrip: false },
      eos_token: '</s>',
      unk_token: '<unk>',
      legacy: true,
      clean_up_tokenization_spaces: false,
      tokenizer_class: 'LlamaTokenizer',
      chat_template: plainChat,
    },
  })

export const phi3Tokenizer = (): TokenizerFiles =>
  cut({
    kind: 'sentencepiece',
    first: ['<unk>', '<s>', '</s>'],
    last: ['<|endoftext|>', '<|assistant|>', '<|placeholder1|>', '<|end|>', '<|user|>'].map((content) => ({
      content,
      rstrip: content !== '<|endoftext|>',
    })),
    merges: 150,
    normalizer: spacesAndFirst,
    preTokenizer: null,
    begin: null,
    settings: {
      add_bos_token: false,
      add_eos_token: false,
      bos_token: '<s>',
      eos_token: '<|endoftext|>',
      unk_token: '<unk>',
      pad_token: '<|endoftext|>',
      legacy: false,
      clean_up_tokenization_spaces: false,
      tokenizer_class: 'LlamaTokenizer',
    },
  })

export const gemmaTokenizer = (): TokenizerFiles =>
  cut({
    kind: 'sentencepiece',
    first: ['<pad>', '<eos>', '<bos>', '<unk>', '<mask>', '<start_of_turn>', '<end_of_turn>'],
    // What sentencepiece's user said to keep whole: as added tokens, and as what the first merges make.
    last: ['\n', '\n\n', '▁▁', '▁▁▁', '<table>'].map((content) => ({ content, special: false })),
    firstMerges: ['▁ ▁', '▁▁ ▁', '▁ ▁▁'],
    merges: 250,
    normalizer: spaces,
    preTokenizer: { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false },
    begin: '<bos>',
    settings: {
      add_bos_token: true,
      add_eos_token: false,
      bos_token: '<bos>',
      eos_token: '<eos>',
      pad_token: '<pad>',
      unk_token: '<unk>',
      clean_up_tokenization_spaces: false,
      tokenizer_class: 'GemmaTokenizer',
    },
  })

export const llama3Tokenizer = (): TokenizerFiles =>
  cut({
    kind: 'bytes',
    first: [],
    last: ['<|begin_of_text|>', '<|end_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'].map(
      (content) => ({ content }),
    ),
    merges: 240,
    normalizer: null,
    preTokenizer: split(threeDigits),
    begin: '<|begin_of_text|>',
    flags: { ignore_merges: true },
    settings: {
      bos_token: '<|begin_of_text|>',
      eos_token: '<|end_of_text|>',
      clean_up_tokenization_spaces: true,
      tokenizer_class: 'PreTrainedTokenizerFast',
    },
  })

export const qwenTokenizer = (): TokenizerFiles =>
  cut({
    kind: 'bytes',
    first: [],
    last: [
      ...['<|endoftext|>', '<|im_start|>', '<|im_end|>'].map((content) => ({ content })),
      ...['<tool_call>', '</tool_call>'].map((content) => ({ content, special: false })),
    ],
    merges: 220,
    normalizer: { type: 'NFC' },
    preTokenizer: split(oneDigit),
    begin: null,
    settings: {
      add_bos_token: false,
      add_prefix_space: false,
      bos_token: null,
      eos_token: '<|endoftext|>',
      pad_token: '<|endoftext|>',
      unk_token: null,
      errors: 'replace',
      clean_up_tokenization_spaces: false,
      split_special_tokens: false,
      tokenizer_class: 'Qwen2Tokenizer',
    },
  })

export const smolTokenizer = (): TokenizerFiles =>
  cut({
    kind: 'bytes',
    first: ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<repo_name>'],
    merges: 200,
    normalizer: null,
    preTokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)],
    },
    begin: null,
    settings: {
      add_prefix_space: false,
      bos_token: '<|endoftext|>',
      eos_token: '<|endoftext|>',
      unk_token: '<|endoftext|>',
      clean_up_tokenization_spaces: false,
      tokenizer_class: 'GPT2Tokenizer',
    },
  })

export const optTokenizer = (): TokenizerFiles =>
  cut({
    kind: 'bytes',
    first: ['<s>', '<pad>', '</s>', '<unk>'],
    merges: 200,
    normalizer: null,
    preTokenizer: byteLevel(true),
    begin: '</s>',
    settings: {
      add_bos_token: true,
      add_prefix_space: false,
      bos_token: '</s>',
      eos_token: '</s>',
      pad_token: '<pad>',
      unk_token: '</s>',
      tokenizer_class: 'GPT2Tokenizer',
    },
  })
