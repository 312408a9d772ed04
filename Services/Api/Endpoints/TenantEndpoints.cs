using Microsoft.AspNetCore.Http.HttpResults;
using Platform.Api.Callers;
using Platform.Api.Contracts;
using Platform.Api.Tenants;

namespace Platform.Api.Endpoints;

/// <summary>The resource <c>/tenants</c>, and what all resources of a tenant have in common.</summary>
internal static class TenantEndpoints
{
    public static void MapTenants(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/tenants", ListAsync)
            .WithName("ListTenants")
            .WithTags("Tenants")
            .WithSummary("Lists the tenants.")
            .For(Roles.Admin)
            .ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    /// <summary>The resources below <c>/tenants/{tenant}</c>, which are there for a tenant that is.</summary>
    public static RouteGroupBuilder MapTenant(this IEndpointRouteBuilder routes) =>
        routes.MapGroup($"/tenants/{{{TenantFilter.Parameter}}}")
            .AddEndpointFilter<RouteGroupBuilder, TenantFilter>()
            .ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status429TooManyRequests)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    private static async Task<Ok<TenantList>> ListAsync(
        ITenantDirectory tenants, CancellationToken cancellationToken) =>
        TypedResults.Ok(new TenantList(
        [
            .. (await tenants.ListAsync(cancellationToken))
                .Select(tenant => new TenantSummary(tenant.Id.ToString(), tenant.Slug, tenant.Name, tenant.Currency)),
        ]));
}
