using Microsoft.AspNetCore.Http.HttpResults;
using Platform.Api.Contracts;
using Platform.Api.Tenants;

namespace Platform.Api.Endpoints;

/// <summary>The resource <c>/tenants</c>.</summary>
internal static class TenantEndpoints
{
    public static void MapTenants(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/tenants", ListAsync)
            .WithName("ListTenants")
            .WithTags("Tenants")
            .WithSummary("Lists the tenants.")
            .ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task<Ok<TenantList>> ListAsync(ITenantDirectory tenants, CancellationToken cancellationToken) =>
        TypedResults.Ok(new TenantList(
        [
            .. (await tenants.ListAsync(cancellationToken))
                .Select(tenant => new TenantSummary(tenant.Id.ToString(), tenant.Slug, tenant.Name, tenant.Currency)),
        ]));
}
