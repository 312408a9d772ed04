using Microsoft.OpenApi;

namespace Platform.Api.OpenApi;

/// <summary>The API's OpenAPI document, at <c>/openapi/v1.json</c>.</summary>
internal static class OpenApiExtensions
{
    public static IServiceCollection AddApiDocument(this IServiceCollection services) =>
        services.AddOpenApi("v1", options =>
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
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

            return Task.CompletedTask;
        });
    });
}
