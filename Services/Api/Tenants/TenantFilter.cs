using Platform.Api.Problems;

namespace Platform.Api.Tenants;

/// <summary>
/// Stands before every endpoint below <c>/tenants/{tenant}</c>: 404 unless the path names an active tenant, which is
/// handed on to them as <see cref="TenantOfPath"/>.
/// </summary>
internal sealed class TenantFilter(ITenantDirectory tenants) : IEndpointFilter
{
    /// <summary>The parameter of the path.</summary>
    public const string Parameter = "tenant";

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (await tenants.FindAsync((string)http.GetRouteValue(Parameter)!, http.RequestAborted) is not { } tenant)
        {
            return ApiProblem.NotFound(Parameter, "There is no tenant of this name.");
        }

        http.Features.Set(tenant);
        return await next(context);
    }
}
