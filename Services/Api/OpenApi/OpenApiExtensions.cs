using System.Globalization;
using Microsoft.OpenApi;
using Platform.Api.Callers;
using Platform.ServiceDefaults.Http;
using Scalar.AspNetCore;

namespace Platform.Api.OpenApi;

/// <summary>The API's OpenAPI document, at <c>/openapi/v1.json</c>.</summary>
internal static class OpenApiExtensions
{
    private const string PagePath = "/scalar";

    // The page's own script and styles, which it also writes into itself; nothing of another host.
    private const string PageMayLoad =
        "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; "
        + "object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

    private const string Scheme = "bearer";

    public static IServiceCollection AddApiDocument(this IServiceCollection services) =>
        services.AddOpenApi("v1", options =>
    {
        options.AddDocumentTransformer((document, context, _) =>
        {
            if (context.ApplicationServices.HaveTokens())
            {
                AddScheme(document);
            }

            document.Info.Title = "Platform API";
            document.Info.Version = "v1";
            document.Info.Description =
                "Products, stores and orders of the tenants. Errors are problem details (RFC 9457); errors has one "
                + "entry per wrong place, with a JSON pointer into the body (or the name of the parameter or header), "
                + "a code and a sentence.";
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            foreach (var described in context.Description.ActionDescriptor.EndpointMetadata.OfType<ParameterSchema>())
            {
                if (operation.Parameters?.FirstOrDefault(
                    parameter => parameter.Name == described.Name) is OpenApiParameter parameter)
                {
                    parameter.Schema = described.Schema;
                    parameter.Required = described.Required;
                }
            }

            if (context.ApplicationServices.HaveTokens()
                && context.Description.ActionDescriptor.EndpointMetadata.OfType<EndpointRoles>().LastOrDefault() is { } roles)
            {
                AddRoles(operation, roles);
            }

            return Task.CompletedTask;
        });
    });

    /// <summary>Maps the document and, in development, a page on which one reads it and tries requests, at <c>/scalar</c>.</summary>
    public static void MapApiDocument(this WebApplication app)
    {
        app.MapOpenApi().AllowAnonymous();
        if (app.Environment.IsDevelopment())
        {
            // Nothing is asked of, or told to, anybody else.
            app.MapScalarApiReference(PagePath, page => page.WithTitle("Platform API")
                .DisableDefaultFonts().DisableTelemetry().DisableAgent().HideDeveloperTools())
                .AllowAnonymous()
                .WithMetadata(new PagePolicy(PageMayLoad))
                .ExcludeFromDescription();
        }
    }

    // Of all that the document describes.
    private static void AddScheme(OpenApiDocument document)
    {
        document.Components ??= new();
        document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
        document.Components.SecuritySchemes[Scheme] = new OpenApiSecurityScheme
        {
            Type = SecuritySchemeType.Http,
            Scheme = Scheme,
            BearerFormat = "JWT",
            Description = "A token of the issuer for this API, which names the caller, the tenant and the roles.",
        };
        document.Security = [new() { [new OpenApiSecuritySchemeReference(Scheme, document)] = [] }];
    }

    private static void AddRoles(OpenApiOperation operation, EndpointRoles roles)
    {
        operation.Description = $"{operation.Description} For the roles {string.Join(", ", roles.Names)}.".TrimStart();
        operation.Responses ??= new();
        var problem = operation.Responses[Status(StatusCodes.Status503ServiceUnavailable)].Content;
        operation.Responses[Status(StatusCodes.Status401Unauthorized)] = new OpenApiResponse { Description = "Unauthorized", Content = problem };
        operation.Responses[Status(StatusCodes.Status403Forbidden)] = new OpenApiResponse { Description = "Forbidden", Content = problem };
    }

    private static string Status(int code) => code.ToString(CultureInfo.InvariantCulture);
}
