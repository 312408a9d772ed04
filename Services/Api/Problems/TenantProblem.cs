using Microsoft.AspNetCore.Http.HttpResults;

namespace Platform.Api.Problems;

/// <summary>The answer to a path that names no tenant.</summary>
internal static class TenantProblem
{
    public static ProblemHttpResult Unknown() => ApiProblem.NotFound("tenant", "There is no tenant of this name.");
}
