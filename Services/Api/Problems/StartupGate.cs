using Platform.Data.Connections;

namespace Platform.Api.Problems;

/// <summary>
/// Stands before every endpoint that uses the database: 503 with <c>Retry-After</c> until the database has answered for the
/// first time, and when more requests come than the connection pool can serve soon.
/// </summary>
internal sealed class DatabaseGate(DatabaseStartup startup, ConcurrencyGate gate) : IEndpointFilter
{
    // A full queue is past in moments; a database that is away is not.
    private static readonly TimeSpan BusyFor = TimeSpan.FromSeconds(1);

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        if (!startup.HasAnswered)
        {
            return ApiProblem.Unavailable(http, "The database is not available.", "The service is starting. Try again in a few seconds.");
        }

        using var pass = await gate.EnterAsync(http.RequestAborted);
        return pass is null
            ? ApiProblem.Unavailable(http, "The service is busy.", "Try again in a moment.", BusyFor)
            : await next(context);
    }
}
