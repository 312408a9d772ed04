namespace Platform.Gateway.Errors;

/// <summary>A command ends with an error reply; the connection goes on.</summary>
internal sealed class CommandException : Exception
{
    /// <summary>An error with a code, and optionally labels that tell drivers what they may do.</summary>
    public CommandException(ErrorCode code, string message, params IReadOnlyList<string> labels)
        : base(message)
    {
        Code = code;
        Labels = labels;
    }

    /// <summary>What the reply's <c>code</c> and <c>codeName</c> say.</summary>
    public ErrorCode Code { get; }

    /// <summary>More fields of the reply, as <c>keyPattern</c> or <c>errInfo</c>.</summary>
    public MongoDB.Bson.BsonDocument? Details { get; init; }

    /// <summary>Why, in a word for the audit log, where clients are not told.</summary>
    public string? Reason { get; init; }

    /// <summary>The reply's <c>errorLabels</c>.</summary>
    public IReadOnlyList<string> Labels { get; }
}
