/** For text of less weight: the editor's own colour for that has too little contrast in Node-RED 4. */
export const QUIET = 'color-mix(in srgb, currentcolor 85%, transparent)';

/**
 * The look of the forms. Colours are the editor's own, so that they follow its theme; the selectors begin as the
 * editor's own, or those would win.
 */
export const STYLE = `
.red-ui-editor .form-row input.m2fp-number { width: 120px; }
.red-ui-editor .form-row .m2fp-select { width: 70%; }
.red-ui-editor :is(.form-row:has(> .m2fp-number, > .m2fp-select), #node-config-row-remote .form-row) > label { vertical-align: middle; }
.red-ui-editor .m2fp-hint {
  display: inline-block; max-width: calc(100% - 245px); margin-left: 6px; vertical-align: middle;
  color: ${QUIET};
}
.red-ui-editor .m2fp-quiet { color: ${QUIET}; }
.red-ui-editor .m2fp-below { margin: 2px 0 0 105px; color: ${QUIET}; }
.red-ui-editor .form-row.m2fp-check { display: flex; gap: 8px; align-items: baseline; padding-left: 105px; }
.red-ui-editor .form-row.m2fp-check input[type='checkbox'] { flex: none; width: auto; margin: 0; }
.red-ui-editor .form-row.m2fp-check label { width: auto; }
.red-ui-editor :is(.m2fp-parts-bar, .m2fp-about, #node-config-row-bundled) .red-ui-button:not(:disabled) { color: inherit !important; }
.red-ui-editor .m2fp-about .red-ui-button:disabled { border-style: dashed; color: ${QUIET} !important; cursor: not-allowed; }

.red-ui-editor details.m2fp-section { margin: 0 0 12px; border-top: 1px solid var(--red-ui-secondary-border-color); }
.red-ui-editor details.m2fp-section > summary { padding: 8px 0; cursor: pointer; font-weight: 600; }
.red-ui-editor details.m2fp-section > summary:focus-visible { outline: 2px solid var(--red-ui-form-input-focus-color); }

.red-ui-editor .m2fp-parts { margin-top: 4px; }
.red-ui-editor .m2fp-parts-bar { display: flex; flex-wrap: wrap; gap: 6px; align-items: center; margin-bottom: 6px; }
.red-ui-editor .form-row .m2fp-parts-bar label { display: flex; flex: 1 1 220px; gap: 8px; align-items: center; width: auto; margin: 0; }
.red-ui-editor .form-row .m2fp-parts-bar select { flex: 1; width: auto; min-width: 80px; margin: 0; }
.red-ui-editor .m2fp-parts-list {
  max-height: 440px; padding: 2px 8px; overflow-y: auto; border: 1px solid var(--red-ui-form-input-border-color);
  border-radius: 4px; background: var(--red-ui-form-input-background); color: var(--red-ui-form-text-color);
}
.red-ui-editor .m2fp-parts-list:empty { display: none; }
.red-ui-editor .m2fp-parts-group { display: flex; gap: 8px; padding: 4px 0; }
.red-ui-editor .m2fp-parts-group + .m2fp-parts-group { border-top: 1px solid var(--red-ui-secondary-border-color); }
.red-ui-editor .m2fp-parts-chips { display: flex; flex: 1; flex-wrap: wrap; gap: 0 14px; }
.red-ui-editor .form-row .m2fp-part {
  display: inline-flex; gap: 6px; align-items: center; width: auto; min-height: 26px; margin: 0; cursor: pointer;
}
.red-ui-editor .form-row .m2fp-parts-title { flex: 0 0 118px; align-self: flex-start; font-weight: 600; }
.red-ui-editor .form-row .m2fp-part input[type='checkbox'] { flex: none; width: auto; margin: 0; }
.red-ui-editor .m2fp-parts-missing { color: ${QUIET}; font-style: italic; }
.red-ui-editor .m2fp-swatch {
  flex: none; width: 14px; height: 14px; border: 1px solid var(--red-ui-form-input-border-color); border-radius: 3px;
}
.red-ui-editor .m2fp-parts-count { margin-top: 4px; color: ${QUIET}; }
.red-ui-editor .m2fp-parts-count.m2fp-parts-error { color: var(--red-ui-text-color-error); }

.red-ui-editor .m2fp-about {
  padding: 8px 12px; border: 1px solid var(--red-ui-secondary-border-color); border-radius: 4px; line-height: 1.5;
}
.red-ui-editor .m2fp-about dl { display: grid; grid-template-columns: max-content 1fr; gap: 2px 12px; margin: 0 0 8px; }
.red-ui-editor .m2fp-about dl:last-child { margin: 8px 0 0; }
.red-ui-editor .m2fp-about dl:empty { margin: 0; }
.red-ui-editor .m2fp-about dt { color: ${QUIET}; font-weight: normal; }
.red-ui-editor .m2fp-about dd { margin: 0; overflow-wrap: anywhere; }
.red-ui-editor .m2fp-download { margin-bottom: 8px; }
.red-ui-editor .m2fp-download progress { display: block; width: 100%; height: 12px; accent-color: var(--red-ui-form-input-focus-color); }
.red-ui-editor .m2fp-download ul { max-height: 200px; margin: 0; padding-left: 18px; overflow-y: auto; overflow-wrap: anywhere; }
.red-ui-editor .m2fp-download summary { cursor: pointer; }
.red-ui-editor .m2fp-about-error { color: var(--red-ui-text-color-error); }
`;
