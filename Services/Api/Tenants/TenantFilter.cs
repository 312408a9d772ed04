using Platform.Api.Callers;
using Platform.Api.Problems;

namespace Platform.Api.Tenants;

/// <summary>
/// Stands before every endpoint below <c>/tenants/{tenant}</c>: 404 unless the path names an active tenant, which is
/// handed on to them as <see cref="TenantOfPath"/>. A tenant that the caller does not belong to is answered in the same words, and without being
/// looked for: nobody learns, by the answer or by how long it takes, which other tenants there are.
/// </summary>
internal sealed class TenantFilter(ITenantDirectory tenants) : IEndpointFilter
{
    /// <summary>The parameter of the path.</summary>
    public const string Parameter = CallerExtensions.TenantParameter;

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        var slug = (string)http.GetRouteValue(Parameter)!;
        if (Caller.Of(http)?.BelongsTo(slug) == false || await tenants.FindAsync(slug, http.RequestAborted) is not { } tenant)
        {
            return ApiProblem.NotFound(Parameter, "There is no tenant of this name.");
        }

        http.Features.Set(tenant);
        return await next(context);
    }
}
