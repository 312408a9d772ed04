using Microsoft.AspNetCore.Authorization;

namespace Platform.Api.Callers;

/// <summary>
/// What every request needs that is not for everybody: a caller who has one of the roles of the endpoint. An endpoint that names none lets nobody
/// in, so that a new one is closed until somebody says whom it is for; a path without an endpoint tells any caller that there is nothing.
/// </summary>
internal sealed class RoleRequirement : AuthorizationHandler<RoleRequirement>, IAuthorizationRequirement
{
    protected override Task HandleRequirementAsync(AuthorizationHandlerContext context, RoleRequirement requirement)
    {
        if (context.Resource is HttpContext http && Caller.Of(http) is { } caller && IsLetIn(http, caller))
        {
            context.Succeed(requirement);
        }

        return Task.CompletedTask;
    }

    private static bool IsLetIn(HttpContext http, Caller caller) => http.GetEndpoint() switch
    {
        RouteEndpoint endpoint => endpoint.Metadata.GetMetadata<EndpointRoles>() is { } roles
            && roles.Names.Any(caller.Roles.Contains)
            // What belongs to no tenant is for those who do not either.
            && (caller.Tenant is null || endpoint.RoutePattern.GetParameter(CallerExtensions.TenantParameter) is not null),
        // None, or the one that says which methods there are.
        _ => true,
    };
}
