namespace Platform.Api.Requests;

/// <summary>A check of a request that keeps a rule over several fields of the document that it becomes.</summary>
public interface IFollowsCrossFieldRule
{
    /// <summary>The rule's code.</summary>
    string RuleCode { get; }
}
