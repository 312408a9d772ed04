using Platform.Mongo.Connections;

namespace Platform.Api.Problems;

/// <summary>
/// Stands before every endpoint that uses the database: 503 with <c>Retry-After</c> until the database has answered for
/// the first time.
/// </summary>
internal sealed class StartupGate(DatabaseStartup startup) : IEndpointFilter
{
    public ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        startup.HasAnswered
            ? next(context)
            : ValueTask.FromResult<object?>(ApiProblem.Unavailable(
                context.HttpContext,
                "The database is not available.",
                "The service is starting. Try again in a few seconds."));
}
