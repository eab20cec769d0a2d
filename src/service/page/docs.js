'use strict';
// Without the validator of swagger.io, which would be asked about the description.
SwaggerUIBundle({ url: 'openapi.json', dom_id: '#docs', validatorUrl: null, tryItOutEnabled: true });
