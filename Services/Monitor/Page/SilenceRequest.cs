using Platform.Monitor.Alerting;
using Platform.Monitoring;

namespace Platform.Monitor.Page;

/// <summary>What the page asks for when somebody wants an alert to be quiet.</summary>
/// <param name="Alert">The alert's name.</param>
/// <param name="Labels">Which of that name: the labels that have to fit.</param>
/// <param name="Hours">How long.</param>
/// <param name="Comment">Why.</param>
internal sealed record SilenceRequest(string? Alert, IReadOnlyDictionary<string, string>? Labels, double Hours, string? Comment)
{
    /// <summary>The longest, in hours: a week.</summary>
    public const double MaxHours = 7 * 24;

    private const int MaxLabels = 20;
    private const int MaxText = 500;

    /// <summary>What is wrong with it, as a sentence; null: nothing.</summary>
    public string? Problem() =>
        AlertMatcher.Parse(Alert ?? "") is not { Label: AlertNames.Label } ? "'alert' must be the name of an alert."
        : !(Hours is > 0 and <= MaxHours) ? $"'hours' must be more than 0 and at most {MaxHours}."
        : Comment is { Length: > MaxText } ? $"'comment' may have {MaxText} characters."
        : Labels is { Count: > MaxLabels } || Labels?.All(IsLabel) == false ? $"'labels' must be up to {MaxLabels} names of labels with their values."
        : null;

    private static bool IsLabel(KeyValuePair<string, string> label) =>
        label.Value is { Length: > 0 and <= MaxText } && AlertMatcher.Parse(label.Key) is { Label: AlertNames.Label };

    /// <summary>The matchers.</summary>
    public IReadOnlyList<AlertMatcher> Matchers() =>
        [new(AlertNames.Label, Alert!), .. (Labels ?? new Dictionary<string, string>()).Select(label => new AlertMatcher(label.Key, label.Value))];
}
