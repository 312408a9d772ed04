using Platform.Data.Rules;

namespace Platform.Api.Requests;

/// <summary>A check that follows the rules of a stored member, so that pages and tests can tell which.</summary>
public interface IFollowedRules
{
    /// <summary>The rules that are followed.</summary>
    SchemaNode Node { get; }
}
