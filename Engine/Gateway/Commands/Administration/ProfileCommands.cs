using MongoDB.Bson;
using Platform.Gateway.Authorization;
using Platform.Gateway.Errors;
using Platform.Gateway.Profiling;
using Platform.Gateway.Requests;

namespace Platform.Gateway.Commands.Administration;

/// <summary>profile: reads or sets the level of a database.</summary>
internal sealed class ProfileCommands(Profiler profiler) : ICommandFamily
{
    /// <inheritdoc />
    public IEnumerable<CommandDefinition> Commands => [new("profile", StructureAccess.Profile, Profile)];

    private ValueTask<ReadOnlyMemory<byte>> Profile(CommandContext context)
    {
        var request = context.Request;
        if (request.Command.Integer is not { } level || level is < -1 or > 2)
        {
            throw new CommandException(ErrorCode.BadValue, "Profiling level has to be 0, 1 or 2, or -1 to read it.");
        }

        if (request.TryGet("filter"u8, out var filter) && filter.Text != "unset")
        {
            throw new CommandException(ErrorCode.CommandNotSupported, "The profiler takes slowms and sampleRate; a filter is not supported.");
        }

        var was = new BsonDocument
        {
            { "was", profiler.Level(request.Database) },
            { "slowms", (int)profiler.SlowAfter.TotalMilliseconds },
            { "sampleRate", profiler.SampleRate },
        };
        var slow = request.TryGet("slowms"u8, out var slowElement) ? slowElement.Integer ?? throw Bad("slowms") : (long?)null;
        double? rate = null;
        if (request.TryGet("sampleRate"u8, out var rateElement))
        {
            rate = rateElement.Type == BsonType.Double ? BitConverter.ToDouble(rateElement.Value.Span) : rateElement.Integer ?? throw Bad("sampleRate");
            if (rate is < 0 or > 1)
            {
                throw Bad("sampleRate");
            }
        }

        if (level < 0 && slow is null && rate is null)
        {
            return ValueTask.FromResult(Reply.With(was));
        }

        // The server takes a negative limit for "everything is slow".
        profiler.SlowAfter = slow is { } milliseconds ? TimeSpan.FromMilliseconds(Math.Max(0, milliseconds)) : profiler.SlowAfter;
        profiler.SampleRate = rate ?? profiler.SampleRate;
        if (level >= 0)
        {
            profiler.SetLevel(request.Database, (int)level);
        }

        return ValueTask.FromResult(Reply.With(was));
    }

    private static CommandException Bad(string field) => new(ErrorCode.BadValue, $"'{field}' of profile is not a number in its range.");
}
