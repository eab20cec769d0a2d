'use strict';

/** Of an option that is left open, nothing is sent, in place of what the viewer makes up: the text "string", or the highest number. */
const onlyDefaults = () => ({
  afterLoad({ fn }) {
    const { getSampleSchema } = fn;
    fn.getSampleSchema = (schema, type, ...rest) => {
      // Without a type, it is the field of a form.
      if (type !== false) return getSampleSchema(schema, type, ...rest);
      return (schema?.toJS?.() ?? schema)?.default ?? '';
    };
  },
});

/** Another kind of body begins with its example: the viewer would send the fields of the form as JSON, with the file as {}. */
const anotherBody = () => ({
  statePlugins: {
    oas3: {
      wrapActions: {
        setRequestContentType:
          (original, { oas3Actions, oas3Selectors }) =>
          (change) => {
            const { pathMethod } = change;
            const isFile = oas3Selectors.requestBodyValue(...pathMethod) instanceof File;
            if (!isFile) oas3Actions.setRequestBodyValue({ value: undefined, pathMethod });
            return original(change);
          },
      },
    },
  },
});

/**
 * What lacks its picture is sent like anything else, and the answer says what to do: the viewer would send nothing, and say as
 * much by the frame of a field far above its button.
 */
const asItIs = () => ({
  statePlugins: {
    oas3: {
      wrapSelectors: {
        validateBeforeExecute: () => () => true,
        validateShallowRequired: () => () => [],
      },
    },
  },
});

SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#docs',
  // Without the validator of swagger.io, which would be asked about the description.
  validatorUrl: null,
  tryItOutEnabled: true,
  plugins: [onlyDefaults, anotherBody, asItIs],
});
