namespace Platform.SecurityTool.Checks;

/// <summary>What a check found.</summary>
/// <param name="Verdict">Whether it holds.</param>
/// <param name="Evidence">What was seen: what contradicts it when it does not hold. No secret is in it.</param>
internal sealed record CheckOutcome(CheckVerdict Verdict, IReadOnlyList<string> Evidence)
{
    /// <summary>What does not apply to a stack.</summary>
    /// <param name="reason">Why, in a sentence.</param>
    public static CheckOutcome NotApplicable(string reason) => new(CheckVerdict.NotApplicable, [reason]);

    /// <summary>It holds where nothing was found against it.</summary>
    /// <param name="against">What was found against it, a sentence each.</param>
    /// <param name="looked">What was looked at, said when it holds.</param>
    public static CheckOutcome Of(IReadOnlyList<string> against, string looked) =>
        against.Count > 0 ? new(CheckVerdict.Failed, against) : new(CheckVerdict.Passed, [looked]);
}

/// <summary>Whether a check holds.</summary>
internal enum CheckVerdict
{
    /// <summary>It holds.</summary>
    Passed,

    /// <summary>It does not hold.</summary>
    Failed,

    /// <summary>The stack has nothing that it is about.</summary>
    NotApplicable,

    /// <summary>Nobody can say: what it asks did not answer.</summary>
    Unknown,
}
