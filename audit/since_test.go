package audit

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	batchv1 "k8s.io/api/batch/v1"

	"embargo.dev/audit/exposure"
	"embargo.dev/policies"
	"embargo.dev/policies/v1alpha1"
)

func TestSinceIsKept(t *testing.T) {
	c := newCluster(t, later)
	d := deployment("av", agent, announced)
	rs := replicaSet("av-1", agent, announced, d, 1)
	c.list(d, rs)
	assert.Equal(t, announced, c.one().Since)
	c.inventory.Remove(rs.UID)
	c.list(replicaSet("av-2", agent, later, d, 1))
	f := c.one()
	assert.Equal(t, announced, f.Since, "though what told it is gone")
	assert.Equal(t, v1alpha1.SinceReplicaSet, f.SinceFrom)
	assert.False(t, f.ArrivedAfterBan)
}

// TestAnImportedSinceIsKeptUntilSomethingIsAsOld restores a report, and then a ReplicaSet.
func TestAnImportedSinceIsKeptUntilSomethingIsAsOld(t *testing.T) {
	c := newCluster(t, later)
	d := deployment("av", agent, later)
	c.list(d, replicaSet("av-1", agent, later, d, 1))
	key := c.one().Key()
	assert.True(t, c.one().ArrivedAfterBan, "it looks as if it had just come")
	c.memory[key] = exposure.Memory{Since: announced, SinceFrom: v1alpha1.SinceReplicaSet, Imported: true}
	for range 2 {
		f := c.one()
		assert.Equal(t, announced, f.Since)
		assert.True(t, f.Imported)
		assert.False(t, f.ArrivedAfterBan)
	}
	c.change(replicaSet("av-0", agent, announced, d, 0))
	f := c.one()
	assert.Equal(t, announced, f.Since)
	assert.False(t, f.Imported, "the cluster itself tells")
}

// TestAnImageWrittenOtherwiseIsTheSame rolls out, after the ban, what admission takes to
// continue: another spelling, through a mirror, and with a digest.
func TestAnImageWrittenOtherwiseIsTheSame(t *testing.T) {
	c := newCluster(t, later)
	policy := everywhere()
	policy.Spec.Mirrors = []v1alpha1.Mirror{{Prefix: "harbor.example.com/acme", Upstream: "registry.acme.example"}}
	c.restrict(policies.Source{Vendors: []v1alpha1.RestrictedVendor{acme()}, Policies: []v1alpha1.VendorPolicy{policy}})
	d := deployment("av", agent, announced)
	c.list(d, replicaSet("av-0", agent, announced, d, 1))
	assert.Equal(t, announced, c.one().Since)
	before := agent
	for i, image := range []string{"Registry.Acme.Example:443/agent:1", "harbor.example.com/acme/agent:1", agent, agent + "@" + digestOf("1")} {
		d = deployment("av", image, announced)
		c.list(d, replicaSet(fmt.Sprint("av-", i), before, announced, d, 0), replicaSet(fmt.Sprint("av-", i+1), image, later, d, 1))
		f := c.one()
		assert.Equal(t, image, f.Image)
		assert.Equal(t, announced, f.Since, image)
		assert.False(t, f.ArrivedAfterBan, image)
		assert.Empty(t, f.News, image)
		before = image
	}
	c.memory = map[exposure.Key]exposure.Memory{}
	assert.Equal(t, announced, c.one().Since, "its history tells")

	c = newCluster(t, later)
	d = deployment("av", agent+"@"+digestOf("2"), announced)
	c.list(d, replicaSet("av-1", agent+"@"+digestOf("1"), announced, d, 0), replicaSet("av-2", agent+"@"+digestOf("2"), later, d, 1))
	assert.True(t, c.one().ArrivedAfterBan, "another digest is another image")
}

func TestWhatArrivedAfterTheBanIsToldFirst(t *testing.T) {
	c := newCluster(t, later)
	c.list(pod(about("a-old", announced, nil), agent), pod(about("z-new", ban.Add(time.Hour), nil), agent))
	findings := c.look()
	assert.Equal(t, "z-new", findings[0].Workload.Name)
	assert.True(t, findings[0].ArrivedAfterBan)
	assert.False(t, findings[1].ArrivedAfterBan)
}

func TestAWaiverThatCoveredTheArrivalIsRemembered(t *testing.T) {
	c := newCluster(t, later, waiver(later.Add(time.Hour)))
	c.list(pod(about("p", ban.Add(time.Hour), nil), agent))
	f := c.one()
	assert.Equal(t, v1alpha1.ActionAudit, f.Action)
	assert.False(t, f.ArrivedAfterBan)
	assert.Equal(t, "replacing", f.ArrivalWaiver)
	c.at(later.Add(2 * time.Hour))
	f = c.one()
	assert.Equal(t, v1alpha1.ActionWarn, f.Action, "the waiver has expired")
	assert.Empty(t, f.Waiver)
	assert.False(t, f.ArrivedAfterBan, "it covered the arrival all the same")
	c.restrict(policies.Source{Vendors: []v1alpha1.RestrictedVendor{acme()}, Policies: []v1alpha1.VendorPolicy{everywhere()}})
	assert.False(t, c.one().ArrivedAfterBan, "also when the waiver is gone")
}

// TestAWaiverWrittenAfterwardsCoversNoArrival writes one for an image that came without.
func TestAWaiverWrittenAfterwardsCoversNoArrival(t *testing.T) {
	c := newCluster(t, later)
	c.list(pod(about("p", ban.Add(time.Hour), nil), agent))
	assert.True(t, c.one().ArrivedAfterBan)
	waived := policies.Source{
		Vendors: []v1alpha1.RestrictedVendor{acme()}, Policies: []v1alpha1.VendorPolicy{everywhere()}, Waivers: []v1alpha1.VendorWaiver{waiver(later.Add(time.Hour))},
	}
	c.restrict(waived)
	c.granted = later
	for range 2 {
		f := c.one()
		assert.Equal(t, "replacing", f.Waiver)
		assert.True(t, f.ArrivedAfterBan)
		assert.Empty(t, f.ArrivalWaiver)
	}
	c.granted = ban
	f := c.one()
	assert.False(t, f.ArrivedAfterBan, "it was there already, though the audit hadn't heard of it")
	assert.Equal(t, "replacing", f.ArrivalWaiver)
}

// TestADateThatIsPutRightAccusesNobody has the ban be found to be later than was written.
func TestADateThatIsPutRightAccusesNobody(t *testing.T) {
	c := newCluster(t, later)
	c.list(pod(about("p", ban.Add(time.Hour), nil), agent))
	assert.True(t, c.one().ArrivedAfterBan)
	vendor := acme()
	vendor.Spec.Restrictions[0].Schedule[1].Effective = later.Add(-time.Hour).Format(time.RFC3339)
	c.restrict(policies.Source{Vendors: []v1alpha1.RestrictedVendor{vendor}, Policies: []v1alpha1.VendorPolicy{everywhere()}})
	assert.False(t, c.one().ArrivedAfterBan)
}

// TestWhatAnOwnerMakesTellsSince has the audit see a Deployment a moment before its
// ReplicaSet.
func TestWhatAnOwnerMakesTellsSince(t *testing.T) {
	c := newCluster(t, later)
	d := deployment("av", agent, later)
	c.change(d)
	assert.Equal(t, v1alpha1.SinceFirstSeen, c.one().SinceFrom)
	c.change(replicaSet("av-1", agent, later.Add(time.Second), d, 1))
	for range 2 {
		f := c.one()
		assert.Equal(t, v1alpha1.SinceReplicaSet, f.SinceFrom)
		assert.Equal(t, later.Add(time.Second), f.Since)
	}

	c = newCluster(t, later)
	paused := deployment("paused", agent, later)
	c.change(paused)
	c.look()
	c.change(replicaSet("paused-1", agent, later.Add(24*time.Hour), paused, 1))
	assert.Equal(t, later, c.one().Since, "it carried the image for a day")
}

// TestALateAuditAccusesNobody has the audit see first, long after the ban, what nothing
// tells the age of.
func TestALateAuditAccusesNobody(t *testing.T) {
	c := newCluster(t, later)
	cron := func(created time.Time, image string) *batchv1.CronJob {
		o := &batchv1.CronJob{ObjectMeta: about("nightly", created, nil)}
		o.Spec.JobTemplate.Spec.Template = template(image)
		return o
	}
	c.list(cron(announced, agent))
	f := c.one()
	assert.Equal(t, v1alpha1.SinceFirstSeen, f.SinceFrom)
	assert.Equal(t, later, f.Since)
	assert.False(t, f.ArrivedAfterBan, "it was made before the ban; nobody knows since when it carries the image")

	c = newCluster(t, later)
	job := &batchv1.Job{ObjectMeta: about("nightly-1", later, cron(announced, agent)), Spec: batchv1.JobSpec{Template: template(agent)}}
	c.list(cron(announced, agent), job, pod(about("nightly-1-x", later, job), agent))
	f = c.one()
	assert.Equal(t, v1alpha1.SincePod, f.SinceFrom)
	assert.False(t, f.ArrivedAfterBan, "a Pod that was made again is no arrival")

	c = newCluster(t, later)
	c.list(cron(ban.Add(time.Hour), agent))
	assert.True(t, c.one().ArrivedAfterBan, "it was made after the ban")

	c = newCluster(t, later)
	c.list(cron(announced, "nginx"))
	assert.Empty(t, c.look())
	c.change(cron(announced, agent))
	assert.True(t, c.one().ArrivedAfterBan, "the audit saw it come")
	c.inventory.Remove("uid-nightly")
	c.list(cron(announced, agent))
	assert.True(t, c.one().ArrivedAfterBan, "which another leader knows from the report")
}

func TestPeopleAreToldOnceOfEachChange(t *testing.T) {
	c := newCluster(t, ban.Add(-60*24*time.Hour))
	c.list(pod(about("p", announced, nil), agent))
	assert.Equal(t, []exposure.News{exposure.Restricted}, c.told())
	for _, days := range []int{30, 7, 1} {
		c.at(ban.Add(-time.Duration(days)*24*time.Hour - time.Second))
		assert.Empty(t, c.told(), "%d days and a second before", days)
		next, ok := c.one().NextTelling(c.now)
		assert.True(t, ok)
		c.at(next)
		assert.Equal(t, []exposure.News{exposure.PhaseNear}, c.told(), "%d days before", days)
	}
	c.at(ban)
	assert.Equal(t, []exposure.News{exposure.PhaseBegan}, c.told())
	_, ok := c.one().NextTelling(c.now)
	assert.False(t, ok)

	c = newCluster(t, ban.Add(-3*24*time.Hour))
	c.list(pod(about("p", announced, nil), agent))
	assert.Equal(t, []exposure.News{exposure.Restricted, exposure.PhaseNear}, c.told(), "what is found a few days before is told both")
}

// TestWhatIsRememberedInPartIsNotNew has another leader know since when an image is there,
// that a waiver covered its arrival and that people were told a week before a phase.
func TestWhatIsRememberedInPartIsNotNew(t *testing.T) {
	c := newCluster(t, ban.Add(-3*24*time.Hour))
	c.list(pod(about("p", announced, nil), agent))
	key := c.one().Key()
	c.memory[key] = exposure.Memory{Partial: true, Since: announced.Add(-time.Hour), SinceFrom: v1alpha1.SinceReplicaSet, ToldDaysBefore: 7, Covered: true}
	f := c.one()
	assert.Empty(t, f.News)
	assert.Equal(t, announced.Add(-time.Hour), f.Since)
	assert.Equal(t, v1alpha1.SinceReplicaSet, f.SinceFrom)
	c.at(ban.Add(-time.Hour))
	assert.Equal(t, []exposure.News{exposure.PhaseNear}, c.told())
	assert.True(t, c.memory[key].Covered)
}

// TestAPhaseThatMakesFindingsIsToldToBegin has the first phase of a schedule begin, a day
// before the second.
func TestAPhaseThatMakesFindingsIsToldToBegin(t *testing.T) {
	vendor := acme()
	vendor.Spec.Restrictions[0].Schedule[0].Effective = ban.Add(-24 * time.Hour).Format(time.RFC3339)
	c := newCluster(t, ban.Add(-25*time.Hour))
	c.restrict(policies.Source{Vendors: []v1alpha1.RestrictedVendor{vendor}, Policies: []v1alpha1.VendorPolicy{everywhere()}})
	c.list(pod(about("p", announced, nil), agent))
	assert.Empty(t, c.look())
	c.last = c.now
	c.at(ban.Add(-24 * time.Hour))
	assert.Equal(t, []exposure.News{exposure.PhaseBegan, exposure.PhaseNear}, c.told())
	c.last = c.now
	c.list(pod(about("another", c.now, nil), agent))
	assert.Equal(t, []exposure.News{exposure.Restricted, exposure.PhaseNear}, c.look()[0].News, "it came later")
}
