import { QUIET } from '../../form/style.ts';

/** The look of previews. Colours are the editor's own, so that they follow its theme. */
export const STYLE = `
.m2fp-preview { cursor: zoom-in; }
.m2fp-preview > rect { fill: none; stroke: var(--red-ui-node-border, #999); }
.m2fp-preview:focus-visible > rect { stroke: var(--red-ui-form-input-focus-color, #5c9ccc); stroke-width: 3px; }
.m2fp-preview:focus { outline: none; }
.m2fp-preview-legend rect { stroke: var(--red-ui-node-border, #999); stroke-width: 0.5px; }
.m2fp-preview-legend text { font-size: 11px; stroke: none; fill: var(--red-ui-primary-text-color); }

.m2fp-viewer {
  position: fixed; inset: 0; z-index: 2000; display: flex; align-items: center; justify-content: center;
  padding: 24px; box-sizing: border-box; background: rgba(0, 0, 0, 0.6);
}
.m2fp-viewer-box {
  display: flex; flex-direction: column; max-width: 100%; max-height: 100%; border-radius: 4px;
  border: 1px solid var(--red-ui-primary-border-color); background: var(--red-ui-primary-background);
  color: var(--red-ui-primary-text-color); font: 14px/1.4 var(--red-ui-primary-font, Helvetica Neue, Arial, Helvetica, sans-serif);
}
.m2fp-viewer-bar { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; padding: 8px 12px; }
.m2fp-viewer-bar .red-ui-button { color: inherit !important; font-family: inherit; }
.m2fp-viewer-bar input[type='range'] { width: 160px; margin: 0; }
.m2fp-viewer-pointed { flex: 1; min-width: 160px; }
.m2fp-viewer-body { display: flex; min-height: 0; border-top: 1px solid var(--red-ui-secondary-border-color); }
.m2fp-viewer-image { flex: 1; min-width: 0; padding: 12px; text-align: center; }
.m2fp-viewer-image canvas { cursor: crosshair; }
.m2fp-viewer-side { flex: none; width: 230px; padding: 0 12px 12px; overflow-y: auto; }
.m2fp-viewer-side:empty { display: none; }
.m2fp-viewer-side h4 { margin: 12px 0 4px; font-size: 14px; }
.m2fp-viewer-side ul { margin: 0; padding: 0; list-style: none; }
.m2fp-viewer-side li { display: flex; gap: 8px; align-items: center; justify-content: space-between; min-height: 24px; }
.m2fp-viewer-side label { display: flex; gap: 6px; align-items: center; margin: 0; cursor: pointer; }
.m2fp-viewer-side input[type='checkbox'] { width: auto; margin: 0; }
.m2fp-viewer-side p { margin: 12px 0 0; color: ${QUIET}; overflow-wrap: anywhere; }
.m2fp-viewer-number { color: ${QUIET}; font-variant-numeric: tabular-nums; white-space: nowrap; }
.m2fp-viewer-swatch { width: 14px; height: 14px; border: 1px solid var(--red-ui-form-input-border-color); border-radius: 3px; }
`;
