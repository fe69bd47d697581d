//! The documentation of a route, written beside it in the route table, from which the OpenAPI document is made.

use utoipa::{
    ToSchema,
    openapi::{
        Content, HttpMethod, Object, ObjectBuilder, Ref, RefOr, Required, Response, ResponseBuilder, SchemaFormat,
        path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn},
        request_body::RequestBodyBuilder,
        schema::{Schema, Type},
    },
};

/// A route's documentation: what it does, what it takes, what it answers.
#[derive(Clone)]
pub struct Documentation {
    operation: Operation,
    schemas: Vec<(String, RefOr<Schema>)>,
}

/// Starts a route's documentation with its one-line summary.
#[must_use]
pub fn operation(summary: &str) -> Documentation {
    Documentation { operation: OperationBuilder::new().summary(Some(summary)).build(), schemas: Vec::new() }
}

impl Documentation {
    /// Adds a longer description, in Markdown.
    #[must_use]
    pub fn describe(mut self, text: &str) -> Self {
        self.operation = OperationBuilder::from(self.operation).description(Some(text)).build();
        self
    }

    /// Adds the path's parameter.
    #[must_use]
    pub fn path(self, name: &str, description: &str) -> Self {
        self.parameter(name, ParameterIn::Path, Required::True, description, Type::String)
    }

    /// Adds an optional query parameter that is text.
    #[must_use]
    pub fn query(self, name: &str, description: &str) -> Self {
        self.parameter(name, ParameterIn::Query, Required::False, description, Type::String)
    }

    /// Adds the parameters of every list, `limit` and `cursor`.
    #[must_use]
    pub fn paged(self) -> Self {
        self.parameter(
            "limit",
            ParameterIn::Query,
            Required::False,
            "How many items at most: 1 to 1000, 100 by default.",
            Type::Integer,
        )
        .query("cursor", "The next_cursor of the page before; left out for the first page.")
    }

    /// Adds an optional request header.
    #[must_use]
    pub fn header(self, name: &str, description: &str) -> Self {
        self.parameter(name, ParameterIn::Header, Required::False, description, Type::String)
    }

    fn parameter(mut self, name: &str, place: ParameterIn, required: Required, description: &str, kind: Type) -> Self {
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .description(Some(description))
            .schema(Some(Object::with_type(kind)));
        self.operation = OperationBuilder::from(self.operation).parameter(parameter).build();
        self
    }

    /// Adds the request body, of type `T`, in this media type.
    #[must_use]
    pub fn takes<T: ToSchema>(mut self, media_type: &str) -> Self {
        let schema = self.reference::<T>();
        let body =
            RequestBodyBuilder::new().content(media_type, Content::new(Some(schema))).required(Some(Required::True));
        self.operation = OperationBuilder::from(self.operation).request_body(Some(body.build())).build();
        self
    }

    /// Adds an answer with a JSON body of type `T`.
    #[must_use]
    pub fn answers<T: ToSchema>(mut self, status: u16, description: &str) -> Self {
        let schema = self.reference::<T>();
        self.respond(
            status,
            ResponseBuilder::new()
                .description(description)
                .content("application/json", Content::new(Some(schema)))
                .build(),
        )
    }

    /// Adds an answer whose body is of another media type and has no schema here.
    #[must_use]
    pub fn answers_text(self, status: u16, media_type: &str, description: &str) -> Self {
        let schema = Schema::Object(Object::with_type(Type::String));
        self.respond(
            status,
            ResponseBuilder::new().description(description).content(media_type, Content::new(Some(schema))).build(),
        )
    }

    /// Adds an answer without a body.
    #[must_use]
    pub fn answers_nothing(self, status: u16, description: &str) -> Self {
        self.respond(status, Response::new(description))
    }

    /// Adds the problems this route can answer with, besides those of every route.
    #[must_use]
    pub fn refuses(self, statuses: &[u16]) -> Self {
        statuses.iter().fold(self, |documentation, status| {
            let problem = Content::new(Some(RefOr::Ref(Ref::from_schema_name(PROBLEM))));
            let title = http::StatusCode::from_u16(*status)
                .ok()
                .and_then(|status| status.canonical_reason())
                .unwrap_or("Refused");
            let response = ResponseBuilder::new().description(title).content("application/problem+json", problem);
            documentation.respond(*status, response.build())
        })
    }

    fn respond(mut self, status: u16, response: Response) -> Self {
        self.operation = OperationBuilder::from(self.operation).response(status.to_string(), response).build();
        self
    }

    /// Remembers `T` and the types it uses as components, and gives the reference to it.
    fn reference<T: ToSchema>(&mut self) -> RefOr<Schema> {
        let name = T::name().into_owned();
        self.schemas.push((name.clone(), T::schema()));
        T::schemas(&mut self.schemas);
        RefOr::Ref(Ref::from_schema_name(name))
    }

    /// The operation as it stands in the document.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation.clone()
    }

    /// The types it refers to, by name.
    #[must_use]
    pub fn schemas(&self) -> &[(String, RefOr<Schema>)] {
        &self.schemas
    }
}

impl std::fmt::Debug for Documentation {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Documentation").finish_non_exhaustive()
    }
}

/// The name of the schema of problem details.
pub const PROBLEM: &str = "Problem";

/// The schema of problem details (RFC 9457).
#[must_use]
pub fn problem_schema() -> Schema {
    let text =
        |description: &str| ObjectBuilder::new().schema_type(Type::String).description(Some(description)).build();
    let page = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom("uri".into())))
        .description(Some("The address of a page that explains this kind of problem."));
    let status = ObjectBuilder::new().schema_type(Type::Integer).description(Some("The HTTP status."));
    ObjectBuilder::new()
        .description(Some("Problem details (RFC 9457). Further members name what the detail speaks of."))
        .property("type", page)
        .required("type")
        .property("title", text("What kind of problem it is."))
        .required("title")
        .property("status", status)
        .required("status")
        .property("detail", text("What happened this time, and what to do."))
        .required("detail")
        .build()
        .into()
}

/// The OpenAPI name of a method; `None` for a method that OpenAPI 3.1 can't describe.
#[must_use]
pub fn method(method: &http::Method) -> Option<HttpMethod> {
    Some(match *method {
        http::Method::GET => HttpMethod::Get,
        http::Method::PUT => HttpMethod::Put,
        http::Method::POST => HttpMethod::Post,
        http::Method::DELETE => HttpMethod::Delete,
        http::Method::OPTIONS => HttpMethod::Options,
        http::Method::HEAD => HttpMethod::Head,
        http::Method::PATCH => HttpMethod::Patch,
        http::Method::TRACE => HttpMethod::Trace,
        _ => return None,
    })
}
